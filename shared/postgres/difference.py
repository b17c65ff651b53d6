"""In what two schemas differ, object by object, and the statements that would make one into the other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared.postgres.fingerprint import Catalogue, owner

_OWN_NAME = re.compile(r"^(?P<kind>materialized view|\w+) (?P<name>.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that isn't as expected: `found` is None where it's missing, `expected` None where it shouldn't be."""

    key: str
    expected: str | None
    found: str | None
    statements: tuple[str, ...]

    @property
    def is_missing(self) -> bool:
        return self.found is None

    @property
    def is_surplus(self) -> bool:
        return self.expected is None

    @property
    def is_additive(self) -> bool:
        """Whether the statements only add what is missing, and so can't lose anything."""
        return self.is_missing

    @property
    def stops(self) -> bool:
        """Whether something is amiss that the code needs. What only makes it slower doesn't stop it."""
        if self.is_surplus:
            return False
        if self.key.startswith("index "):
            return not (self.expected or "").startswith("CREATE INDEX")
        return self.is_missing or not self.key.startswith("table ")

    def __str__(self) -> str:
        if self.expected is None:
            return f"{self.key} shouldn't be there: {brief(self.found)}"
        if self.found is None:
            return f"{self.key} is missing: {brief(self.expected)}" if self.expected else f"{self.key} is missing"
        return f"{self.key} is {_apart(self.found, self.expected)}"


def compare(expected: Catalogue, found: Catalogue, ours: frozenset[str]) -> tuple[Difference, ...]:
    """What differs, in the order in which the statements can be run. What isn't in `ours` is left out.

    A table that is missing as a whole is one difference for itself and one for each index, key and trigger; its columns
    are told with it.
    """
    found = {key: definition for key, definition in found.items() if owner(key) in ours}
    absent = {key.removeprefix("table ") for key in expected if key.startswith("table ") and key not in found}
    surplus = {key.removeprefix("table ") for key in found if key.startswith("table ") and key not in expected}
    differences = [
        Difference(key, definition, found.get(key), _mend(key, definition, found.get(key), expected))
        for key, definition in expected.items()
        if found.get(key) != definition and not (key.startswith("column ") and owner(key) in absent)
    ]
    # Last what needs the others: views before tables, tables before functions.
    differences += [
        Difference(key, None, definition, (_drop(key),))
        for key, definition in reversed(found.items())
        if key not in expected and (owner(key) not in surplus or key == f"table {owner(key)}")
    ]
    return tuple(differences)


def distance(expected: Catalogue, found: Catalogue, ours: frozenset[str]) -> int:
    """In how many objects they differ, each column counted: a whole table is far more than one thing."""
    found = {key: definition for key, definition in found.items() if owner(key) in ours}
    return len(dict(expected.items() ^ found.items()))


def foreign(found: Catalogue, ours: frozenset[str]) -> tuple[str, ...]:
    """The tables, views, functions and types that no version of Reprise has."""
    inner = ("column ", "constraint ", "index ", "trigger ", "rule ", "policy ")
    return tuple(key for key in found if owner(key) not in ours and not key.startswith(inner))


def owners(catalogues: Iterable[Catalogue]) -> frozenset[str]:
    """Every name of a table, view, function or type in any of these."""
    return frozenset(owner(key) for catalogue in catalogues for key in catalogue)


def create(key: str, definition: str, catalogue: Catalogue) -> str:
    """The statement that makes an object as `catalogue` has it. A table comes with its columns alone."""
    kind, name = _split(key)
    table, _, inner = name.partition(".")
    if kind == "table":
        columns = ",\n".join(
            f"    {one.partition('.')[2]} {text}"
            for one, text in catalogue.items()
            if one.startswith("column ") and owner(one) == name
        )
        return f"CREATE TABLE {name} (\n{columns}\n){' ' + definition if definition else ''}"
    if kind == "column":
        return f"ALTER TABLE {table} ADD COLUMN {inner} {definition}"
    if kind == "constraint":
        return f"ALTER TABLE {table} ADD CONSTRAINT {inner} {definition}"
    if kind in ("index", "trigger", "function", "rule"):
        return definition
    if kind in ("view", "materialized view", "type"):
        return f"CREATE {kind.upper()} {name} {definition}".replace(f"TYPE {name} ENUM", f"TYPE {name} AS ENUM")
    return f"CREATE {kind.upper()} {name} {definition}"


def _mend(key: str, expected: str, found: str | None, catalogue: Catalogue) -> tuple[str, ...]:
    if found is None:
        return (create(key, expected, catalogue),)
    kind, name = _split(key)
    table, _, inner = name.partition(".")
    if kind == "column":
        return tuple(f"ALTER TABLE {table} ALTER COLUMN {inner} {one}" for one in _alter(expected, found))
    if kind == "table":
        return tuple(f"ALTER TABLE {name} {one}" for one in _set(expected, found))
    if kind == "function":
        return (expected,)
    return _drop(key), create(key, expected, catalogue)


def _alter(expected: str, found: str) -> list[str]:
    """Type, default and NOT NULL, each only where it differs."""
    wanted, had = _column(expected), _column(found)
    steps = []
    if wanted[0] != had[0]:
        steps.append(f"TYPE {wanted[0]}")
    if wanted[1] != had[1]:
        steps.append(f"SET DEFAULT {wanted[1]}" if wanted[1] else "DROP DEFAULT")
    if wanted[2] != had[2]:
        steps.append("SET NOT NULL" if wanted[2] else "DROP NOT NULL")
    return steps


def _column(definition: str) -> tuple[str, str, bool]:
    text = definition.removesuffix(" NOT VALID")
    not_null = text.endswith(" NOT NULL") and text == definition
    kind, _, default = text.removesuffix(" NOT NULL").partition(" DEFAULT ")
    return kind, default, not_null


def _set(expected: str, found: str) -> list[str]:
    """Whether it's logged, and its storage options."""
    steps = []
    if expected.startswith("UNLOGGED") != found.startswith("UNLOGGED"):
        steps.append("SET UNLOGGED" if expected.startswith("UNLOGGED") else "SET LOGGED")
    if ("ROW LEVEL SECURITY" in expected) != ("ROW LEVEL SECURITY" in found):
        steps.append(f"{'ENABLE' if 'ROW LEVEL SECURITY' in expected else 'DISABLE'} ROW LEVEL SECURITY")
    wanted, had = _options(expected), _options(found)
    if gone := [one for one in had if one not in wanted]:
        steps.append(f"RESET ({', '.join(gone)})")
    if new := [f"{one}={value}" for one, value in wanted.items() if had.get(one) != value]:
        steps.append(f"SET ({', '.join(new)})")
    return steps


def _options(definition: str) -> dict[str, str]:
    found = re.search(r"WITH \((.*)\)", definition)
    return dict(one.split("=", 1) for one in found[1].split(", ")) if found else {}


def _drop(key: str) -> str:
    kind, name = _split(key)
    table, _, inner = name.partition(".")
    if kind in ("column", "constraint"):
        return f"ALTER TABLE {table} DROP {kind.upper()} {inner}"
    if kind in ("trigger", "rule", "policy"):
        return f"DROP {kind.upper()} {inner} ON {table}"
    return f"DROP {kind.upper()} {inner if kind == 'index' else name}"


def _split(key: str) -> tuple[str, str]:
    match = _OWN_NAME.match(key)
    assert match is not None
    return match["kind"], match["name"]


def brief(definition: str | None) -> str:
    """A definition on one line, its middle left out where it's long."""
    line = " ".join((definition or "").split())
    return line if len(line) <= 160 else f"{line[:100]} … {line[-50:]}"


def _apart(found: str, expected: str) -> str:
    """Both on one line each, from a little before the place where they part."""
    one, other = " ".join(found.split()), " ".join(expected.split())
    if max(len(one), len(other)) <= 160:
        return f"`{one}`, should be `{other}`"
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = max(0, start - 40)
    return f"`… {one[start : start + 120]}`, should be `… {other[start : start + 120]}`"
