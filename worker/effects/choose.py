"""From what a search found to the one candidate that is tried next, with the reasons for and against."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from shared.acquisition import candidate as chosen
from shared.acquisition.findings import SoulseekSearched
from shared.acquisition.model import Acquisition
from shared.postgres.queries import load
from worker.clients.answers import NotFoundAtPeer
from worker.clients.slskd_answers import Response
from worker.effects.album_facts import wanted_album, wished_formats
from worker.effects.effect import Tools
from worker.matching import Candidate, queries, rank

_Q = load("soulseek")
_FAILURES_OF_A_PEER = 3
_MOST_REASONS = 20
_KEPT = timedelta(minutes=30)


class Session(msgspec.Struct, frozen=True):
    """What one search found, as it is cached."""

    responses: tuple[Response, ...]


async def responses_of(search_id: UUID, tools: Tools) -> tuple[Response, ...] | None:
    """What a search that has ended found: from the cache, else from slskd, which keeps it for a while; else None."""
    name = f"search:{search_id}"
    if tools.cache is not None and (known := await tools.cache.get(name, Session)) is not None:
        return known.responses
    try:
        found = await tools.need_slskd().responses(search_id)
    except NotFoundAtPeer:
        return None
    if tools.cache is not None and found:
        await tools.cache.put(name, Session(found), _KEPT)
    return found


async def choose(
    acquisition: Acquisition,
    attempt: int,
    responses: tuple[Response, ...],
    tools: Tools,
    *,
    rung: int,
    text: str,
    max_bytes: int | None,
) -> SoulseekSearched:
    """The best candidate that isn't blocked for this album, whose peer isn't out, and that the budget can pay for."""
    wanted = await wanted_album(acquisition, tools)
    blocked = await tools.pool.fetch(_Q["blocked"], acquisition.album_mbid)
    ban = timedelta(seconds=tools.settings().peer_ban)
    out = await tools.pool.fetch(_Q["peers_out"], ban, _FAILURES_OF_A_PEER)
    ranking = rank(
        responses,
        wanted,
        formats=await wished_formats(acquisition, tools),
        peers_out={row["peer"] for row in out},
        blocked={(row["peer"], row["folder"]) for row in blocked},
        max_bytes=max_bytes,
    )
    return SoulseekSearched(
        acquisition_id=acquisition.id,
        attempt=attempt,
        rung=rung,
        rungs=len(queries(wanted)),
        text=text,
        responses=len(responses),
        candidate=None if ranking.best is None else _chosen(ranking.best),
        refused=tuple(f"{one.username}, {one.folder}: {one.reason}"[:400] for one in ranking.refused[:_MOST_REASONS]),
    )


def _chosen(best: Candidate) -> chosen.Candidate:
    return chosen.Candidate(
        username=best.username,
        folder=best.folder,
        files=tuple(chosen.WantedFile(file.filename, file.size_bytes) for file in best.files),
        format=best.format,
        score=best.score,
        explanation=best.explanation,
        release_id=best.release_id,
    )
