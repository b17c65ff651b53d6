"""Metric names stand in the docs, label values in closed lists, and both can be fetched over HTTP."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest

from shared.errors import Unavailable
from shared.telemetry import metrics
from shared.telemetry.exposition import render, start_metrics_server
from shared.telemetry.instruments import REGISTRY, CounterOf, GaugeOf, HistogramOf, Names

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"
KINDS = {CounterOf: "counter", HistogramOf: "histogram", GaugeOf: "gauge"}


def declared() -> dict[str, tuple[str, tuple[str, ...]]]:
    return {
        value.name: (KINDS[type(value)], tuple(value.labels))
        for value in vars(metrics).values()
        if isinstance(value, CounterOf | HistogramOf | GaugeOf)
    }


def documented() -> dict[str, tuple[str, tuple[str, ...]]]:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*)\|", DOCS.read_text(), re.MULTILINE)
    return {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def test_the_docs_list_every_metric_and_no_other() -> None:
    assert documented() == {**declared(), "reprise_build_info": ("info", ("version", "python"))}


def test_the_registry_holds_what_is_declared_and_no_other() -> None:
    registered = {family.name for family in REGISTRY.collect() if family.name.startswith("reprise_")}
    gauges = {name for name, (kind, _) in declared().items() if kind == "gauge"}
    names = {name.removesuffix("_total") for name in declared()} | {"reprise_build"}
    # A gauge without labels shows only once measured, which other tests may have done.
    assert registered | gauges == names | gauges


def test_every_metric_has_the_documented_prefix_and_unit() -> None:
    for name, (kind, _) in declared().items():
        assert name.startswith("reprise_")
        assert name.endswith("_total") == (kind == "counter")


def test_an_unknown_label_value_counts_as_other() -> None:
    before = metrics.EVENTS_RECEIVED.value(source="other", type="other", result="new")
    for n in range(50):
        metrics.EVENTS_RECEIVED.inc(source=f"s{n}", type=f"Surprise{n}", result="new")
    assert metrics.EVENTS_RECEIVED.value(source="other", type="other", result="new") == before + 50
    assert b"Surprise" not in render()[0]


def test_the_owner_of_words_can_add_them() -> None:
    names = Names("a")
    assert names.close("b") == "other"
    names.add("b")
    assert names.close("b") == "b"
    assert list(names) == ["a", "b"]


def test_labels_must_be_given_in_full() -> None:
    with pytest.raises(TypeError, match="reprise_events_settled_total"):
        metrics.EVENTS_SETTLED.inc(source="lidarr")


def test_a_gauge_shows_only_once_it_is_measured_and_loses_what_is_gone() -> None:
    gauge = GaugeOf("reprise_test_level", "For this test.")
    by_state = GaugeOf("reprise_test_states", "For this test.", state=Names("a", "b"))
    try:
        assert gauge.value() is None
        gauge.set(0)
        assert gauge.value() == 0
        by_state.replace({("a",): 1, ("x",): 2, ("y",): 3})
        assert (by_state.value(state="a"), by_state.value(state="other")) == (1, 5)
        by_state.replace({("b",): 4})
        assert (by_state.value(state="a"), by_state.value(state="b")) == (None, 4)
    finally:
        for name in ("reprise_test_level", "reprise_test_states"):
            REGISTRY.unregister(REGISTRY._names_to_collectors[name])


async def test_the_workers_server_shows_metrics_and_health() -> None:
    async def fine() -> str:
        return "ok"

    async def broken() -> str:
        raise OSError("no route")

    healthy = await start_metrics_server("127.0.0.1", 0, {"postgres": fine})
    ailing = await start_metrics_server("127.0.0.1", 0, {"postgres": fine, "redis": broken})
    try:
        assert healthy.port not in {0, ailing.port}
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{healthy.port}/metrics") as answer:
                assert answer.status == 200
                assert answer.headers["Content-Type"].startswith("text/plain; version=")
                assert "reprise_build_info{" in await answer.text()
            async with session.get(f"http://127.0.0.1:{healthy.port}/readyz") as answer:
                assert (answer.status, await answer.text()) == (200, "postgres: ok\nready\n")
            async with session.get(f"http://127.0.0.1:{ailing.port}/readyz") as answer:
                assert (answer.status, await answer.text()) == (
                    503,
                    "postgres: ok\nredis: OSError\nnot ready\n",
                )
            async with session.get(f"http://127.0.0.1:{ailing.port}/healthz") as answer:
                assert answer.status == 200
        with pytest.raises(Unavailable, match=str(healthy.port)):
            await start_metrics_server("127.0.0.1", healthy.port)
    finally:
        await healthy.close()
        await ailing.close()
