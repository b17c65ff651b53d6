"""Discovery batches: ask for many albums at once, see the counts, cancel under a version."""

from __future__ import annotations

import re
from typing import Annotated, assert_never
from uuid import UUID

import msgspec
from aiohttp import web

from ingest.api.albums import MOST_ALBUMS, NOBODY_ELSE, AlbumAsked, BatchLabel, UserId, Why
from ingest.api.jobs import jobs_by
from ingest.api.paging import BatchKey, Page, Paged, VersionKey, decode_cursor, encode_cursor, page_of
from ingest.api.reading import Either
from ingest.api.routes import PREFIX, Call, Nothing, Route, answer
from ingest.api.services import Services
from ingest.api.shapes import Batch, BatchDetail, BatchState, BatchToCome, BatchVersion, NothingWanted
from ingest.api.wanted import WantedAsked, ask_for_wanted
from shared.acquisition.batches import STALE, batch_id_for
from shared.acquisition.signals import BatchCancelled, BatchRequested
from shared.errors import Conflict, InvalidInput, NotFound, StaleVersion
from shared.postgres.pool import Connection
from shared.postgres.queries import load

_Q = load("jobs")
_TAGS = re.compile(r'^\s*(?:W/)?"[^"]*"(?:\s*,\s*(?:W/)?"[^"]*")*\s*$')
_IF_MATCH = "The `ETag` that you read. If the batch has changed since, nothing happens, and the answer is 412."


class BatchAsked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Several albums for one user."""

    albums: Annotated[
        list[AlbumAsked],
        msgspec.Meta(
            min_length=1, max_length=MOST_ALBUMS, description=f"1 to {MOST_ALBUMS} albums; doubles count once."
        ),
    ]
    user_id: UserId = NOBODY_ELSE
    label: BatchLabel = None


class BatchFilter(Paged, kw_only=True, forbid_unknown_fields=True):
    """Which batches to list; without any, all of them."""

    state: Annotated[BatchState | None, msgspec.Meta(description="How far they are.")] = None
    user_id: Annotated[Annotated[str, msgspec.Meta(max_length=200)] | None, msgspec.Meta(description="Whose.")] = None


async def list_batches(call: Call[BatchFilter, Nothing]) -> web.Response:
    """Batches, newest first, without their jobs."""
    query = call.query
    _, at, below = decode_cursor(query.cursor, BatchKey) if query.cursor else (None, None, None)
    async with call.services.reading() as connection:
        rows = await connection.fetch(_Q["batches"], None, query.state, query.user_id, at, below, query.limit + 1)
    return answer(page_of(rows, query.limit, Batch, lambda row: encode_cursor("batches", row["created_at"], row["id"])))


async def ask_for_albums(call: Call[Nothing, BatchAsked | WantedAsked]) -> web.Response:
    """Make a batch, with a job for each distinct album: of those that are named, or of those that Lidarr misses."""
    asked = call.body
    if isinstance(asked, WantedAsked):
        return await _ask_for_wanted(call.services, asked)
    wishes = tuple(album.wish() for album in asked.albums)
    done = await call.services.act(BatchRequested(user_id=asked.user_id, albums=wishes, label=asked.label))
    return await _made(call.services, batch_id_for(done.event_id))


async def _ask_for_wanted(services: Services, asked: WantedAsked) -> web.Response:
    found = await ask_for_wanted(services, asked)
    match found:
        case UUID():
            return await _made(services, found)
        case BatchToCome(batch_id=batch_id):
            return answer(found, status=202, headers={"Location": f"{PREFIX}/batches/{batch_id}"})
        case NothingWanted():
            return answer(found)
        case _:
            assert_never(found)


async def _made(services: Services, batch_id: UUID) -> web.Response:
    made = await _answer(services, batch_id, status=201)
    made.headers["Location"] = f"{PREFIX}/batches/{batch_id}"
    return made


async def show_batch(call: Call[Nothing, Nothing]) -> web.Response:
    """One batch, with its jobs; the ETag is its version."""
    return await _answer(call.services, call.id)


async def list_versions(call: Call[Paged, Nothing]) -> web.Response:
    """Every version of a batch, newest first."""
    query = call.query
    below = decode_cursor(query.cursor, VersionKey)[1] if query.cursor else None
    async with call.services.reading() as connection:
        await _batch(connection, call.id)
        rows = await connection.fetch(_Q["batch_versions"], call.id, below, query.limit + 1)
    return answer(page_of(rows, query.limit, BatchVersion, lambda row: encode_cursor("versions", row["version"])))


async def cancel_batch(call: Call[Nothing, Why]) -> web.Response:
    """Cancel a batch and its active jobs, if it still is at the version of If-Match."""
    async with call.services.reading() as connection:
        batch = await _batch(connection, call.id)
    expected = _expected(call.request, batch.version)
    done = await call.services.act(
        BatchCancelled(batch_id=batch.id, expected_version=expected, reason=call.body.reason)
    )
    own = next((decision for decision in done.decisions if decision.subject_id == batch.id), None)
    if own is None or own.outcome != "applied":
        reason = own.reason if own else done.settlement.reason
        if reason == STALE:
            raise _stale()
        raise Conflict(f"The batch is {(reason or 'gone').removeprefix('batch_is_')}, so it can't be cancelled.")
    return await _answer(call.services, batch.id, status=202)


def _expected(request: web.Request, version: int) -> int | None:
    """The version that If-Match asks for; None where any will do."""
    given = ",".join(request.headers.getall("If-Match", []))
    if not given or given.strip() == "*":
        return None
    if not _TAGS.match(given):
        raise InvalidInput("If-Match", 'must be an ETag in quotes, like "3", or *')
    if f'"{version}"' not in re.findall(r'(?:W/)?"[^"]*"', given):  # a weak tag never matches (RFC 9110, 13.1.1)
        raise _stale()
    return version


def _stale() -> StaleVersion:
    return StaleVersion("The batch has changed since you read it. Read it again, and decide on what you find.")


async def _answer(services: Services, batch_id: UUID, *, status: int = 200) -> web.Response:
    async with services.reading() as connection:
        batch = await _batch(connection, batch_id)
        jobs = await jobs_by(connection, batch_id=batch_id)
    detail = BatchDetail(**msgspec.structs.asdict(batch), jobs=jobs)
    return answer(detail, status=status, headers={"ETag": f'"{batch.version}"'})


async def _batch(connection: Connection, batch_id: UUID) -> Batch:
    row = await connection.fetchrow(_Q["batches"], batch_id, None, None, None, None, 1)
    if row is None:
        raise NotFound("There is no such batch.")
    return msgspec.convert(dict(row), Batch)


ROUTES = (
    Route(
        method="GET",
        path="/batches",
        handler=list_batches,
        summary="Discovery batches, newest first, without their jobs.",
        query=BatchFilter,
        answers={200: Page[Batch]},
    ),
    Route(
        method="POST",
        path="/batches",
        handler=ask_for_albums,
        summary="Ask for several albums together, by name, or for those that Lidarr misses.",
        body=Either(by="from", usual=BatchAsked, other=WantedAsked),
        answers={201: BatchDetail, 200: NothingWanted, 202: BatchToCome},
        refusals=(409,),
        etag=True,
    ),
    Route(
        method="GET",
        path="/batches/{id}",
        handler=show_batch,
        summary="One batch, with its jobs. The ETag is its version.",
        answers={200: BatchDetail},
        etag=True,
    ),
    Route(
        method="GET",
        path="/batches/{id}/versions",
        handler=list_versions,
        summary="Every version that the batch has had, newest first.",
        query=Paged,
        answers={200: Page[BatchVersion]},
    ),
    Route(
        method="POST",
        path="/batches/{id}/cancel",
        handler=cancel_batch,
        summary="Cancel a batch and its active jobs.",
        body=Why,
        body_required=False,
        answers={202: BatchDetail},
        refusals=(409, 412),
        headers={"If-Match": _IF_MATCH},
        etag=True,
    ),
)
