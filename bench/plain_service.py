"""The peer: a plain aiohttp service with one INSERT a request, as well as it can be written that way.

uvloop, a pool of prepared connections, a handler that does nothing but read, insert and answer: no secret is
checked, nothing is looked for in the body, no spool stands by. `python -m bench.plain_service DSN PORT`.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import uuid4

import asyncpg
import uvloop
from aiohttp import web

TABLE = "CREATE TABLE plain (id uuid PRIMARY KEY, received_at timestamptz NOT NULL DEFAULT now(), body bytea NOT NULL)"
_INSERT = "INSERT INTO plain (id, body) VALUES ($1, $2)"
_CONNECTIONS = 20


async def serve(dsn: str, port: int) -> None:
    """Serve until killed."""
    pool = await asyncpg.create_pool(dsn, min_size=_CONNECTIONS, max_size=_CONNECTIONS)

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        event_id = uuid4()
        await pool.execute(_INSERT, event_id, body)
        return web.Response(body=b'{"event_id": "%b"}' % str(event_id).encode(), content_type="application/json")

    app = web.Application(client_max_size=5 * 1024 * 1024)
    app.router.add_post("/webhooks/lidarr", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=2048).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
