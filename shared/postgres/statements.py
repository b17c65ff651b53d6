"""The statements that make one object as it should be."""

from __future__ import annotations

import re

from shared.postgres.fingerprint import Catalogue, owner

_OWN_NAME = re.compile(r"^(?P<kind>materialized view|\w+) (?P<name>.*)$", re.DOTALL)


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


def mend(key: str, expected: str, found: str | None, catalogue: Catalogue) -> tuple[str, ...]:
    """What makes an object that is missing, or other than expected, as it should be. Run them in this order."""
    if found is None:
        return (create(key, expected, catalogue),)
    kind, name = _split(key)
    table, _, inner = name.partition(".")
    if kind == "column":
        return tuple(f"ALTER TABLE {table} ALTER COLUMN {inner} {one}" for one in _alter(inner, expected, found))
    if kind == "table":
        return tuple(_set(name, expected, found))
    if kind == "function":
        return (expected,)
    return drop(key), create(key, expected, catalogue)


def _alter(name: str, expected: str, found: str) -> list[str]:
    """Type, default and NOT NULL, each only where it differs."""
    wanted, had = _column(expected), _column(found)
    steps = []
    if wanted[0] != had[0]:
        # A default of the other type can stand in the way.
        steps += ["DROP DEFAULT"] if had[1] else []
        steps.append(f"TYPE {wanted[0]} USING {name}::{wanted[0].partition(' COLLATE ')[0]}")
    if wanted[1] != (had[1] if wanted[0] == had[0] else ""):
        steps.append(f"SET DEFAULT {wanted[1]}" if wanted[1] else "DROP DEFAULT")
    if wanted[2] != had[2]:
        steps.append("SET NOT NULL" if wanted[2] else "DROP NOT NULL")
    return steps


def _column(definition: str) -> tuple[str, str, bool]:
    text = definition.removesuffix(" NOT VALID")
    not_null = text.endswith(" NOT NULL") and text == definition
    kind, _, default = text.removesuffix(" NOT NULL").partition(" DEFAULT ")
    return kind, default, not_null


def _set(name: str, expected: str, found: str) -> list[str]:
    """Whether it's logged, its storage options, whose rows may be seen, and what inherits from it."""
    steps = []
    if expected.startswith("UNLOGGED") != found.startswith("UNLOGGED"):
        steps.append("SET UNLOGGED" if expected.startswith("UNLOGGED") else "SET LOGGED")
    if ("ROW LEVEL SECURITY" in expected) != ("ROW LEVEL SECURITY" in found):
        steps.append(f"{'ENABLE' if 'ROW LEVEL SECURITY' in expected else 'DISABLE'} ROW LEVEL SECURITY")
    if ("FORCED" in expected) != ("FORCED" in found):
        steps.append(f"{'FORCE' if 'FORCED' in expected else 'NO FORCE'} ROW LEVEL SECURITY")
    wanted, had = _options(expected), _options(found)
    if gone := [one for one in had if one not in wanted]:
        steps.append(f"RESET ({', '.join(gone)})")
    if new := [f"{one}={value}" for one, value in wanted.items() if had.get(one) != value]:
        steps.append(f"SET ({', '.join(new)})")
    heirs = re.search(r"INHERITED BY \((.*)\)", found)
    strangers = heirs[1].split(", ") if heirs and "INHERITED" not in expected else []
    return [f"ALTER TABLE {name} {one}" for one in steps] + [
        f"ALTER TABLE {one} NO INHERIT {name}" for one in strangers
    ]


def _options(definition: str) -> dict[str, str]:
    found = re.search(r"WITH \((.*?)\)", definition)
    return dict(one.split("=", 1) for one in found[1].split(", ")) if found else {}


def drop(key: str) -> str:
    """The statement that removes what shouldn't be there."""
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
