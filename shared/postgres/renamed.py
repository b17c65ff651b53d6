"""What only goes by another name: found again, so that nobody is told to make it anew, empty, and to drop the old."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.postgres.fingerprint import Catalogue, owner

_KINDS_WITH_A_NAME = ("constraint", "index")


@dataclass(frozen=True, slots=True)
class Renamed:
    """A thing that has another name: `key` is as it should be, `called` as it is now."""

    key: str
    called: str

    @property
    def statement(self) -> str:
        """What gives it its name back."""
        kind, _, name = self.key.partition(" ")
        table, _, inner = name.partition(".")
        now = self.called.partition(" ")[2].partition(".")
        match kind:
            case "table":
                return f"ALTER TABLE {now[0]} RENAME TO {name}"
            case "index":
                return f"ALTER INDEX {now[2]} RENAME TO {inner}"
            case _:
                return f"ALTER TABLE {table} RENAME {kind.upper()} {now[2]} TO {inner}"


def under_their_names(expected: Catalogue, found: Catalogue) -> tuple[Catalogue, tuple[Renamed, ...]]:
    """The found schema as it would be if everything bore its name, and what bears another.

    Only what can't be mistaken: a table with the very same columns, a column in the same place of its table, and a
    constraint or index that is the only one of its definition.
    """
    told: list[Renamed] = []
    for search in (_tables, _columns, _others):
        for one in list(search(expected, found)):
            told.append(one)
            found = _with_name(expected, found, one)
    return found, tuple(told)


def _tables(expected: Catalogue, found: Catalogue) -> Iterator[Renamed]:
    lost = {key: tuple(_columns_of(expected, owner(key))) for key in expected if _is_lost("table", key, found)}
    stray = {key: tuple(_columns_of(found, owner(key))) for key in found if _is_lost("table", key, expected)}
    yield from _pairs(lost, stray)


def _columns(expected: Catalogue, found: Catalogue) -> Iterator[Renamed]:
    for table in [owner(key) for key in expected if key.startswith("table ") and key in found]:
        wanted, had = list(_columns_of(expected, table)), list(_columns_of(found, table))
        if len(wanted) != len(had):
            continue
        for (name, definition), (now, is_now) in zip(wanted, had, strict=True):
            key, called = f"column {table}.{name}", f"column {table}.{now}"
            if definition == is_now and key not in found and called not in expected:
                yield Renamed(key, called)


def _others(expected: Catalogue, found: Catalogue) -> Iterator[Renamed]:
    for kind in _KINDS_WITH_A_NAME:
        lost = {key: _nameless(key, text) for key, text in expected.items() if _is_lost(kind, key, found)}
        stray = {key: _nameless(key, text) for key, text in found.items() if _is_lost(kind, key, expected)}
        yield from _pairs(lost, stray)


def _pairs(lost: Mapping[str, tuple[object, ...]], stray: Mapping[str, tuple[object, ...]]) -> Iterator[Renamed]:
    """Each lost thing with the one stray thing that is the same, where neither has a double."""
    for key, looks in lost.items():
        same = [called for called, look in stray.items() if look == looks]
        if looks and len(same) == 1 and list(lost.values()).count(looks) == 1:
            yield Renamed(key, same[0])


def _is_lost(kind: str, key: str, elsewhere: Catalogue) -> bool:
    return key.startswith(f"{kind} ") and key not in elsewhere


def _columns_of(catalogue: Catalogue, table: str) -> Iterator[tuple[str, str]]:
    start = f"column {table}."
    return ((key.removeprefix(start), text) for key, text in catalogue.items() if key.startswith(start))


def _nameless(key: str, definition: str) -> tuple[object, ...]:
    """The table, and the definition without the thing's own name."""
    inner = key.partition(".")[2]
    return owner(key), definition.replace(f" INDEX {inner} ON ", " INDEX ON ", 1)


def _with_name(expected: Catalogue, found: Catalogue, one: Renamed) -> Catalogue:
    """The schema after the renaming. What only speaks of the thing under its present name is right by itself then."""
    kind, _, name = one.key.partition(" ")
    now = one.called.partition(" ")[2]
    inner, inner_now = (name, now) if kind == "table" else (name.partition(".")[2], now.partition(".")[2])
    alone = re.compile(rf"(?<![\w\"]){re.escape(inner_now)}(?![\w\"])")
    in_view = re.compile(rf"{alone.pattern} AS {re.escape(inner)}\b")
    result = {}
    for key, text in found.items():
        if key == one.called:
            key_then = one.key
        elif kind == "table" and owner(key) == now:
            key_then = f"{key.partition(' ')[0]} {name}.{key.partition('.')[2]}"
        else:
            key_then = key
        written = alone.sub(inner, in_view.sub(inner, text))
        result[key_then] = written if written == expected.get(key_then) else text
    return result
