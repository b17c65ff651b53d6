"""A schema that isn't believed stops neither the receiver nor the database: only what runs can be mended."""

from __future__ import annotations

import aiohttp

from shared.postgres.exclusive import exclusive
from shared.postgres.fingerprint import fingerprint
from shared.postgres.migrate import migrate
from shared.postgres.pool import connect
from shared.postgres.steps import migrations
from tests.harness.processes import Processes
from tests.harness.waiting import until


async def test_up_runs_on_until_the_schema_is_mended(database: str, processes: Processes) -> None:
    connection = await connect(database)
    await connection.execute("DROP TABLE schema_migrations; ALTER TABLE peers DROP COLUMN history_id")
    house = await processes.start("up", port_variable="REPRISE_PORT", ready_path="/readyz")
    await until(lambda: "up.schema_refused" in house.output())
    assert "column peers.history_id is missing: bigint" in house.output()
    async with (
        aiohttp.ClientSession(headers={"X-Webhook-Secret": "webhook-secret-of-the-tests"}) as session,
        session.post(f"{house.url}/webhooks/lidarr", json={"eventType": "Test"}) as answer,
    ):
        assert (await answer.json())["spooled"] is True

    mended = await processes.start("migrate", "baseline", "--repair", "--yes")
    assert await mended.child.wait() == 0, mended.output()

    async def kept() -> bool:
        return bool(await connection.fetchval("SELECT count(*) FROM events WHERE type = 'Test'"))

    await until(kept)
    assert await fingerprint(connection) == migrations()[-1].golden
    await connection.close()
    assert await house.stop() == 0


async def test_up_keeps_webhooks_before_it_has_a_database(empty_database: str, processes: Processes) -> None:
    """While Postgres recovers, or is backed up before a migration, the receiver listens already."""
    connection = await connect(empty_database)
    async with exclusive(connection, lambda line: None):  # so that the migration has to wait
        house = await processes.start(
            "up", port_variable="REPRISE_PORT", ready_path="/readyz", environment={"DATABASE_URL": empty_database}
        )
        async with (
            aiohttp.ClientSession(headers={"X-Webhook-Secret": "webhook-secret-of-the-tests"}) as session,
            session.post(f"{house.url}/webhooks/lidarr", json={"eventType": "Test"}) as answer,
        ):
            assert (await answer.json())["spooled"] is True
        assert "Reprise is ready" not in house.output()
    await until(lambda: "Reprise is ready" in house.output())
    assert await connection.fetchval("SELECT count(*) FROM events WHERE type = 'Test'") == 1
    await connection.close()
    assert await house.stop() == 0


async def test_up_keeps_webhooks_while_a_migration_fails(empty_database: str, processes: Processes) -> None:
    steps = migrations()
    await migrate(empty_database, steps=steps[:4])
    connection = await connect(empty_database)
    await connection.execute("CREATE TYPE watches AS ENUM ()")  # in the way of the next one
    house = await processes.start(
        "up", port_variable="REPRISE_PORT", ready_path="/readyz", environment={"DATABASE_URL": empty_database}
    )
    await until(lambda: "migration 0005 soulseek failed" in house.output())
    async with (
        aiohttp.ClientSession(headers={"X-Webhook-Secret": "webhook-secret-of-the-tests"}) as session,
        session.post(f"{house.url}/webhooks/lidarr", json={"eventType": "Test"}) as answer,
    ):
        assert answer.status == 200
    await connection.execute("DROP TYPE watches")

    async def kept() -> bool:
        return bool(await connection.fetchval("SELECT count(*) FROM events WHERE type = 'Test'"))

    await until(kept, within_s=40)
    assert await fingerprint(connection) == steps[-1].golden
    await connection.close()
    assert await house.stop() == 0
