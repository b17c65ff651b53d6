"""What failed downloads left with slskd."""

from __future__ import annotations

from aiohttp import web

from ingest.api.paging import LeftoverKey, Page, Paged, decode_cursor, encode_cursor, page_of
from ingest.api.routes import Call, Nothing, Route, answer
from ingest.api.shapes import Leftover
from shared.postgres.queries import load

_Q = load("jobs")


async def list_leftovers(call: Call[Paged, Nothing]) -> web.Response:
    """Files of failed downloads that are still there, newest first."""
    query = call.query
    _, *below = decode_cursor(query.cursor, LeftoverKey) if query.cursor else (None, None, None, None)
    async with call.services.reading() as connection:
        rows = await connection.fetch(_Q["leftovers"], *below, query.limit + 1)
    return answer(
        page_of(
            rows,
            query.limit,
            Leftover,
            lambda row: encode_cursor("leftovers", row["finished_at"], row["acquisition_id"], row["attempt"]),
        )
    )


ROUTES = (
    Route(
        method="GET",
        path="/leftovers",
        handler=list_leftovers,
        summary="Files that failed downloads from Soulseek left behind, newest first, with their size.",
        query=Paged,
        answers={200: Page[Leftover]},
    ),
)
