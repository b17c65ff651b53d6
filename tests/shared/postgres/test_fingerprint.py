"""The schema in words: the same on every server, and as it is written down."""

from __future__ import annotations

from typing import Any

import pytest

from shared.postgres.difference import compare, owners
from shared.postgres.fingerprint import digest, fingerprint, owner, unqualified
from shared.postgres.migrate import migrate
from shared.postgres.queries import SQL_DIR
from tests.harness import golden
from tests.harness.servers import PostgresServer
from tests.shared.postgres import stage


async def test_every_version_is_the_same_on_every_server(any_database: str) -> None:
    for step in stage.STEPS:
        await migrate(any_database, steps=stage.STEPS[: step.version])
        async with stage.connected(any_database) as connection:
            assert await fingerprint(connection) == step.golden, "if a migration changed: make schema"


async def test_the_whole_schema_as_it_is_written_makes_the_newest_version(any_database: str) -> None:
    await stage.sql(any_database, (SQL_DIR / "schema.sql").read_text("utf-8"))
    async with stage.connected(any_database) as connection:
        assert await fingerprint(connection) == stage.STEPS[-1].golden


async def test_what_is_written_down_is_what_the_migrations_make(postgres_server: PostgresServer) -> None:
    wanted = golden.files(stage.STEPS, await golden.goldens(postgres_server, stage.STEPS))
    for path, text in wanted.items():
        assert path.read_text("utf-8") == text, f"{path.name}: run `make schema`"
    assert set(wanted) == {SQL_DIR / "schema.sql", *(SQL_DIR / "fingerprints").iterdir()}


def test_versions_differ() -> None:
    assert len({digest(step.golden or {}) for step in stage.STEPS}) == len(stage.STEPS)


async def test_neither_comments_nor_order_nor_the_ledger_count(database: str) -> None:
    await stage.sql(
        database,
        "COMMENT ON TABLE events IS 'mine'",
        "ALTER TABLE peers DROP COLUMN history_id",
        "ALTER TABLE peers ADD COLUMN history_id bigint",
        "ALTER TABLE schema_migrations ADD COLUMN more text",
    )
    async with stage.connected(database) as connection:
        assert await fingerprint(connection) == stage.STEPS[-1].golden


async def test_other_peoples_things_are_seen_too(database: str) -> None:
    await stage.sql(
        database,
        "CREATE TYPE mood AS ENUM ('fine', 'blue')",
        "CREATE TYPE nothing AS ENUM ()",
        "CREATE DOMAIN mbid AS text NOT NULL CHECK (VALUE <> '')",
        "CREATE SEQUENCE counter",
        'CREATE TABLE "My Notes" (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, twice integer'
        " GENERATED ALWAYS AS (1 + 1) STORED, note text COLLATE \"C\" DEFAULT 'x')",
        'ALTER TABLE "My Notes" ENABLE ROW LEVEL SECURITY',
        'CREATE POLICY mine ON "My Notes" USING (id = 1)',
        'CREATE RULE quiet AS ON DELETE TO "My Notes" DO INSTEAD NOTHING',
        'CREATE MATERIALIZED VIEW heap AS SELECT id FROM "My Notes"',
    )
    async with stage.connected(database) as connection:
        found = await fingerprint(connection)
    assert found["type mood"] == "ENUM ('fine', 'blue')"
    assert found["type nothing"] == "ENUM ()"
    assert found["type mbid"] == "DOMAIN text NOT NULL CHECK (VALUE <> ''::text)"
    assert found["sequence counter"] == "AS bigint INCREMENT 1 START 1"
    assert found['table "My Notes"'] == "ROW LEVEL SECURITY"
    assert found['column "My Notes".note'] == "text COLLATE \"C\" DEFAULT 'x'::text"
    assert found['column "My Notes".id'] == "integer GENERATED ALWAYS AS IDENTITY NOT NULL"
    assert found['column "My Notes".twice'] == "integer GENERATED ALWAYS AS (1 + 1) STORED"
    assert 'policy "My Notes".mine' in found
    assert 'rule "My Notes".quiet' in found
    assert found["materialized view heap"].startswith("AS")
    assert not compare(stage.STEPS[-1].golden or {}, found, owners([stage.STEPS[-1].golden or {}]))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("column events.id", "events"),
        ("function body_as_jsonb(body bytea)", "body_as_jsonb"),
        ("materialized view heap", "heap"),
        ("view event_history", "event_history"),
    ],
)
def test_a_key_says_what_it_is_about(key: str, name: str) -> None:
    assert owner(key) == name


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "SELECT b.id,\n (b.total - b.done) AS open\n FROM batches b",
            "SELECT id,\n (total - done) AS open\n FROM batches b",
        ),
        ("SELECT events.id FROM events WHERE (events.type = 'events.x'::text);", None),
        ("SELECT a.id FROM a, b WHERE a.id = b.id", "SELECT a.id FROM a, b WHERE a.id = b.id"),
        ("SELECT a.id FROM a JOIN b ON a.id = b.id", "SELECT a.id FROM a JOIN b ON a.id = b.id"),
        ("SELECT a.id FROM a UNION SELECT b.id FROM b", "SELECT a.id FROM a UNION SELECT b.id FROM b"),
        (
            "SELECT a.id, (SELECT max(b.n) FROM b WHERE b.id = a.id) AS n FROM a",
            "SELECT id, (SELECT max(b.n) FROM b WHERE b.id = a.id) AS n FROM a",
        ),
        ("SELECT 1 AS one", "SELECT 1 AS one"),
        ('SELECT "T".id FROM "T" ORDER BY "T".id', 'SELECT id FROM "T" ORDER BY id'),
    ],
)
def test_views_read_as_newer_servers_write_them(old: str, new: str | None) -> None:
    wanted = "SELECT id FROM events WHERE (type = 'events.x'::text)" if new is None else new
    assert unqualified(old) == wanted
    assert unqualified(wanted) == wanted


async def test_views_of_every_shape_read_the_same_on_every_server(any_database: str, postgres_server: Any) -> None:
    """What the servers write down differs; what we make of it doesn't."""
    shapes = [
        "CREATE TABLE a (id integer, n integer)",
        "CREATE TABLE b (id integer, n integer)",
        "CREATE VIEW one AS SELECT x.id, x.n + 1 AS m FROM a AS x WHERE x.n > (SELECT max(n) FROM b) ORDER BY x.id",
        "CREATE VIEW two AS SELECT x.id FROM a AS x JOIN b AS y USING (id)",
        "CREATE VIEW three AS SELECT id FROM a UNION ALL SELECT id FROM b",
        "CREATE VIEW four AS WITH w AS (SELECT id FROM a) SELECT w.id, row_number() OVER (ORDER BY w.id) AS r FROM w",
        "CREATE VIEW five AS SELECT q.id, count(*) c FROM (SELECT a.id FROM a) AS q GROUP BY q.id HAVING count(*) > 1",
        "CREATE VIEW six AS SELECT a.id, EXISTS (SELECT 1 FROM b WHERE b.id = a.id) AS e FROM a LIMIT 3",
    ]
    await stage.sql(any_database, *shapes)
    async with postgres_server.new_database(migrated=False) as dsn:
        await stage.sql(dsn, *shapes)
        async with stage.connected(dsn) as here, stage.connected(any_database) as there:
            assert await fingerprint(there) == await fingerprint(here)
