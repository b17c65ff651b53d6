"""What docs/how-it-works.md says of the state machine, made from its table: `make rules` writes it there."""

from __future__ import annotations

from collections import defaultdict

from shared.acquisition.lifecycle import LEADS_TO, RULES
from shared.acquisition.model import TERMINAL, State
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "how-it-works.md"


def _edges() -> dict[tuple[State, State], list[str]]:
    """(from, to) → the signals that may lead there, in the order of the states and of the table."""
    found = defaultdict(list)
    for (before, signal), targets in LEADS_TO.items():
        for after in targets:
            found[before, after].append(signal.__name__)
    order = list(State)
    return {pair: found[pair] for pair in sorted(found, key=lambda pair: (order.index(pair[0]), order.index(pair[1])))}


def diagram() -> str:
    """The states and the ways between them, which GitHub draws."""
    ways = [f"    {before} --> {after}" for before, after in _edges()]
    begins, ends = "    [*] --> pending", [f"    {state} --> [*]" for state in State if state in TERMINAL]
    return "\n".join(["```mermaid", "stateDiagram-v2", begins, *ways, *ends, "```", ""])


def ways() -> str:
    """For each way the signals that may lead along it."""
    rows = (
        f"| {before} | {after} | {', '.join(f'`{signal}`' for signal in signals)} |\n"
        for (before, after), signals in _edges().items()
    )
    return "| From | To | By |\n|---|---|---|\n" + "".join(rows)


def heeded() -> str:
    """Which signals each state listens to."""
    by_signal = defaultdict(set)
    for state, signal in RULES:
        by_signal[signal.__name__].add(state)
    head = f"| Signal | {' | '.join(state.value for state in State)} |\n|---{'|:-:' * len(State)}|\n"
    rows = (
        f"| `{name}` | {' | '.join('●' if state in states else '' for state in State)} |\n"
        for name, states in by_signal.items()
    )
    return head + "".join(rows)


PARTS = {"diagram": diagram, "ways": ways, "rules": heeded}


def written(text: str) -> str:
    """The page with every part between its marks as the table has it. Raises ValueError where a mark is missing."""
    for name, made in PARTS.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        if not end:
            raise ValueError(f"{PAGE.name} has no place for {name}")
        text = before + begin + made() + end + after
    return text


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
