"""What a schema is made of, told in the same words by every server from PostgreSQL 15 on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from shared.postgres.queries import load

Catalogue: TypeAlias = Mapping[str, str]
"""Definitions by kind and name: `column events.id` is `uuid NOT NULL`. What a table has is named `table.name`."""

LEDGER = "schema_migrations"

_TOKEN = re.compile(
    r"(?P<text>'(?:[^']|'')*')|(?P<name>\"(?:[^\"]|\"\")*\"|[A-Za-z_][\w$]*)|(?P<number>\d+(?:\.\d+)?)|(?P<space>\s+)|(?P<sign>.)",
    re.DOTALL,
)
_AFTER_FROM = {"WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "UNION", "INTERSECT"}
_SET_OPERATIONS = {"UNION", "INTERSECT", "EXCEPT"}
_QUERIES = {"SELECT", "WITH", "VALUES"}


async def fingerprint(connection: Any) -> Catalogue:
    """The catalogue of the first schema in the search path, without the migrations' own ledger. Takes no locks.

    Left out, because they don't tell two versions apart: comments, owners, rights, the order of columns, partitions.
    """
    found: dict[str, str] = {}
    for kind, name, definition in await connection.fetch(load("fingerprint")["catalogue"]):
        key = f"{kind} {name}"
        if owner(key) != LEDGER:
            found[key] = unqualified(definition) if kind.endswith("view") else definition.strip()
    return found


def owner(key: str) -> str:
    """The table, view, function or type that a key is about: `events` for `column events.id`."""
    name = key.partition(" view ")[2] if key.startswith("materialized view ") else key.partition(" ")[2]
    return name.partition("(")[0].partition(".")[0]


def digest(catalogue: Catalogue) -> str:
    """A short name for a schema: equal ones have the same."""
    whole = "\n".join(f"{key}\t{definition}" for key, definition in sorted(catalogue.items()))
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def unqualified(view: str) -> str:
    """A view's definition as PostgreSQL 16 and later write it.

    Up to 15 the columns of a view on one relation bear its name (`b.id`), later they don't. Below the top of the
    query, and with two relations, both write it.
    """
    tokens = [(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(view.strip().rstrip(";"))]
    depths = list(_depths(tokens))
    relation = _only_relation(tokens, depths)
    if relation is None:
        return "".join(text for _, text in tokens)
    kept = []
    skip = 0
    for place, (kind, text) in enumerate(tokens):
        if skip:
            skip -= 1
            continue
        following = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        before = tokens[place - 1][1] if place else ""
        if kind == "name" and text == relation and following == "." and before != "." and depths[place][1] == 0:
            skip = 1
            continue
        kept.append(text)
    return "".join(kept)


def _depths(tokens: list[tuple[str, str]]) -> Iterator[tuple[int, int]]:
    """For each token: how many brackets it is in, and how many of these hold a query of their own."""
    stack: list[bool] = []
    for place, (_, text) in enumerate(tokens):
        if text == ")" and stack:
            stack.pop()
        yield len(stack), sum(stack)
        if text == "(":
            inside = next((word for kind, word in tokens[place + 1 :] if kind != "space" and word != "("), "")
            stack.append(inside in _QUERIES)


def _only_relation(tokens: list[tuple[str, str]], depths: list[tuple[int, int]]) -> str | None:
    """The name by which the query's one relation goes; None where there are several, or none."""
    top = [text for (kind, text), (depth, _) in zip(tokens, depths, strict=True) if depth == 0 and kind != "space"]
    if "FROM" not in top or _SET_OPERATIONS & set(top):
        return None
    source = top[top.index("FROM") + 1 :]
    end = next((place for place, word in enumerate(source) if word in _AFTER_FROM), len(source))
    source = source[:end]
    if "," in source or "JOIN" in source or not source:
        return None
    return source[-1]
