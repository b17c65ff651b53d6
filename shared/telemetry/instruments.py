"""Counters, gauges and histograms whose labels can only take values that were named beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.metrics_core import Metric

OTHER = "other"

# Half the lines of the exposition, which no query of ours reads.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)


class Names:
    """The values that a label may take; all else counts as `other`, so that no peer can fill the memory.

    The room that owns the words adds them when it is imported.
    """

    def __init__(self, *names: str) -> None:
        self._names = set(names)

    def add(self, *names: str) -> None:
        self._names.update(names)

    def close(self, value: str) -> str:
        """`value` if it is one of the names, else `other`."""
        return value if value in self._names else OTHER

    def __contains__(self, value: str) -> bool:
        return value in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._names))


class _Labelled:
    """What the three kinds share: the label values, closed, in declared order."""

    def __init__(self, name: str, labels: Mapping[str, Names]) -> None:
        self.name = name
        self.labels = labels

    def _values(self, given: Mapping[str, str]) -> Sequence[str]:
        if given.keys() != self.labels.keys():
            raise TypeError(f"{self.name} has the labels {sorted(self.labels)}, not {sorted(given)}")
        return [names.close(given[label]) for label, names in self.labels.items()]


class _Growing(_Labelled):
    """Counters and histograms, whose children stay for the life of the process and so can be remembered."""

    _metric: Any

    def __init__(self, name: str, labels: Mapping[str, Names]) -> None:
        super().__init__(name, labels)
        self._children: dict[tuple[tuple[str, str], ...], Any] = {}

    def _child(self, given: Mapping[str, str]) -> Any:
        key = tuple(given.items())
        child = self._children.get(key)
        if child is None:
            values = self._values(given)
            child = self._metric.labels(*values) if values else self._metric
            # Values that aren't declared come from outside: remembering them would fill the memory.
            if all(value in self.labels[label] for label, value in key):
                self._children[key] = child
        return child


class CounterOf(_Growing):
    """A figure that only grows; its exposed name ends in `_total`."""

    def __init__(self, name: str, help_text: str, **labels: Names) -> None:
        super().__init__(name, labels)
        self._metric = Counter(name.removesuffix("_total"), help_text, list(labels), registry=REGISTRY)

    def inc(self, amount: float = 1, **labels: str) -> None:
        self._child(labels).inc(amount)

    def value(self, **labels: str) -> float:
        """What it stands at in this process (0 when it was never counted)."""
        values = dict(zip(self.labels, self._values(labels), strict=True))
        return REGISTRY.get_sample_value(self.name, values) or 0.0


class HistogramOf(_Growing):
    """How large or how long; `_seconds` are seconds."""

    def __init__(self, name: str, help_text: str, buckets: Sequence[float], **labels: Names) -> None:
        super().__init__(name, labels)
        self._metric = Histogram(name, help_text, list(labels), registry=REGISTRY, buckets=buckets)

    def observe(self, amount: float, **labels: str) -> None:
        self._child(labels).observe(amount)

    def count(self, **labels: str) -> float:
        """How many observations this process has made."""
        values = dict(zip(self.labels, self._values(labels), strict=True))
        return REGISTRY.get_sample_value(f"{self.name}_count", values) or 0.0


class _SilentGauge(Gauge):
    """Exposed only once it's known: a receiver that never measures the backlog must not say it's 0."""

    def collect(self) -> Iterable[Metric]:
        return super().collect() if getattr(self, "_measured", False) else []

    def set(self, value: float) -> None:
        self._measured = True
        super().set(value)


class GaugeOf(_Labelled):
    """A figure that goes up and down, exposed from the first time it's set."""

    def __init__(self, name: str, help_text: str, **labels: Names) -> None:
        super().__init__(name, labels)
        kind = Gauge if labels else _SilentGauge
        self._metric = kind(name, help_text, list(labels), registry=REGISTRY)

    def set(self, value: float, **labels: str) -> None:
        values = self._values(labels)
        (self._metric.labels(*values) if values else self._metric).set(value)

    def replace(self, figures: Mapping[tuple[str, ...], float]) -> None:
        """Set all label combinations at once, keyed in declared order; those that aren't given vanish."""
        sums: dict[tuple[str, ...], float] = {}
        for key, figure in figures.items():
            values = tuple(self._values(dict(zip(self.labels, key, strict=True))))
            sums[values] = sums.get(values, 0) + figure
        self._metric.clear()
        for values, figure in sums.items():
            self._metric.labels(*values).set(figure)

    def value(self, **labels: str) -> float | None:
        """What it was last set to in this process, or None."""
        values = dict(zip(self.labels, self._values(labels), strict=True))
        return REGISTRY.get_sample_value(self.name, values)
