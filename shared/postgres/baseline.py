"""Baselining by recognition: a schema that nobody tracked is looked at, and believed only if it's one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import Unavailable
from shared.postgres.difference import Difference, compare, distance, foreign, owners
from shared.postgres.exclusive import Say, exclusive, patiently
from shared.postgres.fingerprint import Catalogue, fingerprint
from shared.postgres.ledger import Status, prepare_ledger, record, status
from shared.postgres.steps import Migration

_NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a live schema is. `version` is None if it equals none; 0 is a database without anything of ours.

    `differences` are those from the `nearest` version. `foreign` names what isn't ours.
    """

    version: int | None
    nearest: int
    differences: tuple[Difference, ...]
    foreign: tuple[str, ...]


class Unrecognised(Unavailable):
    """The database isn't tracked, and its schema equals none that Reprise ever had: nothing was changed.

    `reprise migrate baseline` tells each difference, with the statements that would mend it.
    """

    code = "schema_unrecognised"

    def __init__(self, found: Recognition) -> None:
        few = "; ".join(str(one) for one in found.differences[:_NAMED_AT_MOST])
        more = len(found.differences) - _NAMED_AT_MOST
        super().__init__(
            f"the schema isn't tracked, and equals no known version. From the nearest, {found.nearest:04d}, it "
            f"differs: {few}{f'; and {more} more' if more > 0 else ''}. Nothing was changed"
        )
        self.found = found


class Foreign(Unavailable):
    """The schema holds tables of another program and nothing of ours: nothing was changed.

    Name a database of Reprise's own in DATABASE_URL, or a schema, by adding `?options=-csearch_path%3Dreprise`.
    """

    code = "schema_foreign"

    def __init__(self, found: Recognition) -> None:
        few = ", ".join(found.foreign[:_NAMED_AT_MOST])
        more = len(found.foreign) - _NAMED_AT_MOST
        super().__init__(
            f"this database holds what isn't Reprise's ({few}{f' and {more} more' if more > 0 else ''}), and nothing "
            "that is. Nothing was changed. Name a database of its own in DATABASE_URL, or a schema of its own: CREATE "
            "SCHEMA reprise, and add ?options=-csearch_path%3Dreprise"
        )
        self.found = found


class Drifted(Unavailable):
    """The tracked schema was changed by other hands, and something that this release needs is missing.

    `reprise migrate verify` tells each difference, with the statements that would mend it.
    """

    code = "schema_drifted"

    def __init__(self, version: int, differences: Sequence[Difference]) -> None:
        few = "; ".join(str(one) for one in differences[:_NAMED_AT_MOST])
        more = len(differences) - _NAMED_AT_MOST
        super().__init__(
            f"the schema is tracked as {version:04d}, but was changed: {few}{f'; and {more} more' if more > 0 else ''}"
        )
        self.version = version
        self.differences = tuple(differences)


def our_names(steps: Sequence[Migration]) -> frozenset[str]:
    """What any version of this release calls its own."""
    return owners(step.golden for step in steps if step.golden is not None)


def recognise(live: Catalogue, steps: Sequence[Migration], *, above: int = 0) -> Recognition | None:
    """Which version the live schema equals; only those after `above` are asked. Of two as near, the newer is nearest.

    None if there is nothing to compare with, because no fingerprint belongs to these steps.
    """
    ours = our_names(steps)
    candidates = [step for step in reversed(steps) if step.golden is not None and step.version > above]
    if not candidates:
        return None
    others = foreign(live, ours)
    if not above and all(key in others or _inside(key, others) for key in live):
        return Recognition(0, 0, (), others)
    nearest = min(candidates, key=lambda step: distance(step.golden or {}, live, ours))
    differences = compare(nearest.golden or {}, live, ours)
    return Recognition(None if differences else nearest.version, nearest.version, differences, others)


def drift(live: Catalogue, steps: Sequence[Migration], version: int) -> tuple[Difference, ...] | None:
    """In what the live schema differs from the tracked version; None if this release has no fingerprint of it.

    A version of a newer release is held against our newest, and only what is missing tells then: the newer release
    may have changed the rest, in ways that our code bears.
    """
    golden = steps[min(version, len(steps)) - 1].golden if version and steps else None
    if golden is None:
        return None
    differences = compare(golden, live, our_names(steps))
    if version > len(steps):
        needed = ("table ", "column ", "view ", "function ")
        differences = tuple(one for one in differences if one.is_missing and one.key.startswith(needed))
    return differences


def _inside(key: str, others: Sequence[str]) -> bool:
    """Whether it's a column, key or index of something foreign."""
    return foreign({key: ""}, frozenset()) == () and any(
        other.partition(" ")[2] == key.partition(" ")[2].partition(".")[0] for other in others
    )


async def baseline(connection: Any, steps: Sequence[Migration], say: Say) -> Status:
    """Record what the schema shows to be applied already. Raises Unrecognised or Foreign, having changed nothing."""

    async def look() -> Status:
        found = await status(connection, steps)
        if not found.pending or found.underway:
            return found
        # A ledger with a gap is no proof of anything: only the schema itself is.
        above = min(found.newest, len(steps)) - 1 if found.has_gap else found.newest
        seen = recognise(await fingerprint(connection), steps, above=above)
        if seen is None or (seen.version is None and found.applied and not found.has_gap):
            return found
        if seen.version is None:
            raise Unrecognised(seen)
        if seen.version == 0:
            if seen.foreign:
                raise Foreign(seen)
            return found
        await adopt(connection, steps, seen.version)
        say(
            f"[MIGRATE] {f'tracked up to {found.newest:04d}' if found.applied else 'not tracked'}, recognised as "
            f"{seen.version:04d} {steps[seen.version - 1].name}: recorded, nothing else changed"
        )
        if seen.foreign:
            say(f"[MIGRATE] not Reprise's, and left alone: {', '.join(seen.foreign)}")
        return await status(connection, steps)

    return await patiently(connection, look, say=say, what="looking at the schema")


async def adopt(connection: Any, steps: Sequence[Migration], version: int) -> None:
    """Note the steps up to `version` as baselined, where they aren't noted. Call it under the lock."""
    await prepare_ledger(connection)
    for step in steps[:version]:
        await record(connection, step, how="baselined")


async def inspect(connection: Any, steps: Sequence[Migration]) -> tuple[int, tuple[Difference, ...]]:
    """The tracked version, and in what the schema differs from it. Nothing differs while a step is underway."""
    found = await status(connection, steps)
    if not found.applied or found.underway:
        return found.newest, ()
    return found.newest, drift(await fingerprint(connection), steps, found.newest) or ()


async def check(connection: Any, steps: Sequence[Migration], say: Say) -> None:
    """Tell what was changed by other hands. Raises Drifted if something that the code needs is missing."""
    version, differences = await inspect(connection, steps)
    if any(one.stops for one in differences):
        # Another process may have ended a step between our two looks: none does while we hold the lock.
        async with exclusive(connection, say):
            version, differences = await inspect(connection, steps)
    if stopping := [one for one in differences if one.stops]:
        raise Drifted(version, stopping)
    for one in differences:
        say(f"[MIGRATE] changed by other hands, and no hindrance: {one}")
