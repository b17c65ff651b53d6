"""Make the kept recordings anew: `.venv/bin/python -m tests.recordings`."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec

from shared.config import Config, Secret
from shared.postgres.pool import create_pool
from tests.harness.servers import PostgresServer, run_postgres, run_valkey, temporary_layout
from tests.journeys.stage import Json
from tests.recordings.sessions import record_lidarr, record_slskd

HERE = Path(__file__).parent


async def make(database: str, redis_url: str, data_dir: Path) -> None:
    config = Config(
        database_url=Secret(database),
        redis_url=Secret(redis_url),
        host="127.0.0.1",
        data_dir=data_dir,
        admin_token=Secret("admin-token-of-the-recordings"),
        webhook_secret=Secret("webhook-secret-of-the-recordings"),
        secret_key=Secret("secret-key-of-the-recordings-0123456789"),
    )
    async with await create_pool(database, application_name="recordings") as pool:
        ended = await record_lidarr(config, pool, HERE / "lidarr-failed-then-imported.jsonl")
        write_end("lidarr-failed-then-imported", ended)
        done = await record_slskd(config, HERE / "slskd-search-and-download.jsonl")
        write_end("slskd-search-and-download", msgspec.to_builtins(done))


def write_end(name: str, ended: Json) -> None:
    """How it ended, for the test to compare with; and let everybody read what is no secret here."""
    end = HERE / f"{name}.end.json"
    end.write_bytes(msgspec.json.format(msgspec.json.encode(ended), indent=2) + b"\n")
    (HERE / f"{name}.jsonl").chmod(0o644)


async def record_all(postgres: PostgresServer, redis_url: str) -> None:
    for old in HERE.glob("*.jsonl"):
        old.unlink()
    async with postgres.new_database() as database:
        with tempfile.TemporaryDirectory() as data_dir:
            await make(database, redis_url, Path(data_dir))


if __name__ == "__main__":
    with temporary_layout() as layout, run_postgres(layout) as postgres, run_valkey(layout) as valkey:
        asyncio.run(record_all(postgres, valkey.url))
