"""In what two schemas differ, object by object, and the statements that would make one into the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.postgres.fingerprint import Catalogue, owner
from shared.postgres.renamed import Renamed, under_their_names
from shared.postgres.statements import drop, mend


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that isn't as expected: `found` is None where it's missing, `expected` None where it shouldn't be.

    `called` is the name that it bears instead of its own, where nothing else is wrong with it.
    """

    key: str
    expected: str | None
    found: str | None
    statements: tuple[str, ...]
    called: str | None = None

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
        if self.key.startswith("table ") and not self.is_missing and self.called is None:
            # Storage options don't matter; policies would hide rows from whoever isn't the owner, or from all.
            return "ROW LEVEL SECURITY" in (self.found or "")
        return True

    def __str__(self) -> str:
        if self.called is not None:
            return f"{self.key} is named {self.called}"
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
    found, renamed = under_their_names(expected, found)
    found = {key: definition for key, definition in found.items() if owner(key) in ours}
    absent = {key.removeprefix("table ") for key in expected if key.startswith("table ") and key not in found}
    surplus = {key.removeprefix("table ") for key in found if key.startswith("table ") and key not in expected}
    # A view can't be made while a table has its name.
    in_the_way = [key for key in found if _is_relation(key) and key not in expected and _names(expected, key)]
    differences = [_renamed(one, expected) for one in renamed]
    differences += [Difference(key, None, found[key], (drop(key),)) for key in in_the_way]
    differences += [
        Difference(key, definition, found.get(key), mend(key, definition, found.get(key), expected))
        for key, definition in expected.items()
        if found.get(key) != definition and not (key.startswith("column ") and owner(key) in absent)
    ]
    # Last what needs the others: views before tables, tables before functions.
    differences += [
        Difference(key, None, definition, (drop(key),))
        for key, definition in reversed(found.items())
        if key not in (*expected, *in_the_way) and (owner(key) not in surplus or key == f"table {owner(key)}")
    ]
    return tuple(differences)


def _renamed(one: Renamed, expected: Catalogue) -> Difference:
    text, name = expected[one.key], one.called.partition(" ")[2]
    inner = name if one.key.startswith("table ") else name.partition(".")[2]
    return Difference(one.key, text, text, (one.statement,), called=inner)


def _is_relation(key: str) -> bool:
    return key.startswith(("table ", "view ", "materialized view "))


def _names(catalogue: Catalogue, key: str) -> bool:
    """Whether a relation of this name is in the catalogue."""
    return any(_is_relation(one) and owner(one) == owner(key) for one in catalogue)


def distance(expected: Catalogue, found: Catalogue, ours: frozenset[str]) -> int:
    """In how many objects they differ, each column counted: a whole table is far more than one thing."""
    found, renamed = under_their_names(expected, found)
    found = {key: definition for key, definition in found.items() if owner(key) in ours}
    return len(dict(expected.items() ^ found.items())) + len(renamed)


def foreign(found: Catalogue, ours: frozenset[str]) -> tuple[str, ...]:
    """The tables, views, functions and types that no version of Reprise has."""
    inner = ("column ", "constraint ", "index ", "trigger ", "rule ", "policy ")
    return tuple(key for key in found if owner(key) not in ours and not key.startswith(inner))


def owners(catalogues: Iterable[Catalogue]) -> frozenset[str]:
    """Every name of a table, view, function or type in any of these."""
    return frozenset(owner(key) for catalogue in catalogues for key in catalogue)


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
