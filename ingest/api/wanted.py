"""Ask for what Lidarr misses: a worker reads it, and whoever asked waits a moment for the batch that it opens."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from ingest.api.albums import MOST_ALBUMS, NOBODY_ELSE, BatchLabel, UserId
from ingest.api.services import Services
from ingest.api.shapes import BatchToCome, NothingWanted
from shared.acquisition.batches import batch_id_for
from shared.acquisition.findings import WantedRequested
from shared.errors import Conflict, Unavailable
from shared.eventlog.identity import uuid7
from shared.postgres.queries import load

USUAL_LIMIT = 20
WAIT_S = 5.0
_LOOK_EVERY_S = 0.2

_Q = load("jobs")
_NOTHING = "Lidarr misses no album that isn't being got, or wasn't asked for lately."


class WantedAsked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Albums that Lidarr misses, for one user: monitored, released, and without all of their tracks."""

    source: Annotated[Literal["lidarr-wanted"], msgspec.Meta(description="`lidarr-wanted`.")] = msgspec.field(
        name="from"
    )
    limit: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=MOST_ALBUMS, description=f"How many at most, 1 to {MOST_ALBUMS}; the newest releases come first."
        ),
    ] = USUAL_LIMIT
    user_id: UserId = NOBODY_ELSE
    label: BatchLabel = None


async def ask_for_wanted(services: Services, asked: WantedAsked) -> UUID | BatchToCome | NothingWanted:
    """The id of the batch; or that it isn't there yet after WAIT_S, or that there is nothing to ask for.

    Raises Conflict where there is no Lidarr, and Unavailable where it couldn't be read.
    """
    if not services.config.has_lidarr:
        raise Conflict("No Lidarr is configured that could be asked: set LIDARR_URL and LIDARR_API_KEY.")
    event_id = uuid7()
    done = await services.act(
        WantedRequested(user_id=asked.user_id, limit=asked.limit, batch_event_id=event_id, label=asked.label)
    )
    (reads,) = done.folded.work.orders
    batch_id = batch_id_for(event_id)
    ends = asyncio.get_running_loop().time() + WAIT_S
    while True:
        async with services.reading() as connection:
            row = await connection.fetchrow(_Q["wanted_so_far"], batch_id, event_id, reads.id)
        match row["opened"], row["event_state"], row["command_state"]:
            case True, _, _:
                return batch_id
            case (False, "ignored", _) | (False, None, "done"):
                return NothingWanted(reason="nothing_to_ask_for", detail=_NOTHING)
            case False, None, "dead":
                raise Unavailable(f"Lidarr couldn't be asked what it misses: {row['says']}.")
            case _ if asyncio.get_running_loop().time() >= ends:
                says = row["says"] or "no worker has got round to it yet"
                return BatchToCome(batch_id=batch_id, detail=f"Lidarr is being asked what it misses ({says}).")
            case _:
                await asyncio.sleep(_LOOK_EVERY_S)
