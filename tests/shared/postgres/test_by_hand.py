"""One thing changed by hand: refused, with exactly that difference named, and nothing touched."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import pytest

from shared.postgres.baseline import Drifted, Unrecognised
from shared.postgres.migrate import migrate
from shared.postgres.repair import repair
from tests.harness.servers import PostgresServer
from tests.shared.postgres import stage

VIEW = (
    "CREATE OR REPLACE VIEW dead_letters AS SELECT e.id, e.source, e.type, e.received_at, s.attempts, e.correlation_id,"
    " s.reason, s.last_error, s.settled_at FROM event_status AS s JOIN events AS e ON e.id = s.event_id"
    " WHERE s.state <> 'dead'"
)
FUNCTION = "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
COPY = "CREATE UNIQUE INDEX b ON decisions (event_id, subject_id)"
CASES = {
    "column missing": (["ALTER TABLE peers DROP COLUMN history_id"], "column peers.history_id is missing: bigint"),
    "column added": (
        ["ALTER TABLE peers ADD COLUMN more text"],
        "column peers.more shouldn't be there: text",
    ),
    "type": (
        ["ALTER TABLE peers ALTER COLUMN history_id TYPE integer"],
        "column peers.history_id is `integer`, should be `bigint`",
    ),
    "default": (
        ["ALTER TABLE operations ALTER COLUMN done SET DEFAULT 1"],
        "column operations.done is `bigint DEFAULT 1 NOT NULL`, should be `bigint DEFAULT 0 NOT NULL`",
    ),
    "not null": (
        ["ALTER TABLE operations ALTER COLUMN kind DROP NOT NULL"],
        "column operations.kind is `text`, should be `text NOT NULL`",
    ),
    "index predicate": (
        [
            "DROP INDEX commands_due",
            "CREATE INDEX commands_due ON commands (due_at, id) WHERE state = 'running'",
        ],
        "index commands.commands_due is `CREATE INDEX commands_due ON commands USING btree (due_at, id) WHERE state = "
        "'running'::text`, should be `CREATE INDEX commands_due ON commands USING btree (due_at, id) WHERE state = "
        "'waiting'::text`",
    ),
    "index missing": (
        ["DROP INDEX decisions_once"],
        "index decisions.decisions_once is missing: CREATE UNIQUE INDEX decisions_once ON decisions USING btree "
        "(event_id, subject_id)",
    ),
    "index added": (
        ["CREATE INDEX mine ON locks (token)"],
        "index locks.mine shouldn't be there: CREATE INDEX mine ON locks USING btree (token)",
    ),
    "constraint": (
        [
            "ALTER TABLE operations DROP CONSTRAINT operations_state",
            "ALTER TABLE operations ADD CONSTRAINT operations_state CHECK (state <> 'x')",
        ],
        "constraint operations.operations_state is `CHECK (state <> 'x'::text)`, should be `CHECK (state = ANY "
        "(ARRAY['running'::text, 'done'::text, 'cancelled'::text]))`",
    ),
    "constraint not valid": (
        [
            "ALTER TABLE settings_version DROP CONSTRAINT settings_version_single",
            "ALTER TABLE settings_version ADD CONSTRAINT settings_version_single CHECK (one) NOT VALID",
        ],
        "constraint settings_version.settings_version_single is `CHECK (one) NOT VALID`, should be `CHECK (one)`",
    ),
    "foreign key": (
        ["ALTER TABLE commands DROP CONSTRAINT commands_acquisition_id_fkey"],
        "constraint commands.commands_acquisition_id_fkey is missing: FOREIGN KEY (acquisition_id) REFERENCES "
        "acquisitions(id)",
    ),
    "view": ([VIEW], "view dead_letters is `… "),
    "view missing": (["DROP VIEW dead_letters"], "view dead_letters is missing: AS SELECT e.id, "),
    "function": ([FUNCTION], "function refuse_change() is `"),
    "trigger missing": (
        ["DROP TRIGGER decisions_are_append_only ON decisions"],
        "trigger decisions.decisions_are_append_only is missing: CREATE TRIGGER",
    ),
    "trigger disabled": (
        ["ALTER TABLE events DISABLE TRIGGER events_are_append_only"],
        "trigger events.events_are_append_only is `DISABLED CREATE TRIGGER",
    ),
    "trigger added": (
        [
            "CREATE TRIGGER another BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        ],
        "trigger events.another shouldn't be there: CREATE TRIGGER another BEFORE INSERT ON events",
    ),
    "rule added": (
        ["CREATE RULE quiet AS ON INSERT TO events DO INSTEAD NOTHING"],
        "rule events.quiet shouldn't be there: CREATE RULE quiet",
    ),
    "options": (
        ["ALTER TABLE commands SET (fillfactor = 50)"],
        "table commands is `WITH (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=1000, "
        "fillfactor=50)`, should be `WITH (",
    ),
    "unlogged": (["ALTER TABLE locks SET UNLOGGED"], "table locks is `UNLOGGED`, should be ``"),
    "table missing": (["DROP TABLE locks"], "table locks is missing"),
    "type without a cast of its own": (
        ["ALTER TABLE event_status ALTER COLUMN alone TYPE text"],
        "column event_status.alone is `text DEFAULT false NOT NULL`, should be `boolean DEFAULT false NOT NULL`",
    ),
    "options of what is long": (
        ["ALTER TABLE events SET (toast.autovacuum_enabled = off)"],
        "table events is `WITH (toast.autovacuum_enabled=off)`, should be ``",
    ),
    "rows hidden from the owner, too": (
        ["ALTER TABLE events FORCE ROW LEVEL SECURITY"],
        "table events is `FORCED`, should be ``",
    ),
    "a table that inherits": (
        ["CREATE TABLE mine () INHERITS (events)"],
        "table events is `INHERITED BY (mine)`, should be ``",
    ),
    "column renamed": (
        ["ALTER TABLE events RENAME COLUMN correlation_id TO tied_to"],
        "column events.correlation_id is named tied_to",
    ),
    "key column renamed": (
        ["ALTER TABLE acquisitions RENAME COLUMN id TO own_id"],
        "column acquisitions.id is named own_id",
    ),
    "primary key renamed": (
        ["ALTER TABLE acquisitions RENAME CONSTRAINT acquisitions_pkey TO mine"],
        "constraint acquisitions.acquisitions_pkey is named mine",
    ),
    "index renamed": (["ALTER INDEX decisions_once RENAME TO mine"], "index decisions.decisions_once is named mine"),
    "table renamed": (["ALTER TABLE events RENAME TO my_events"], "table events is named my_events"),
    "table in place of a view": (
        ["DROP VIEW dead_letters", "CREATE TABLE dead_letters AS SELECT * FROM events"],
        "table dead_letters shouldn't be there",
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_it_is_refused_and_named_and_nothing_is_touched_and_what_is_shown_mends_it(
    database: str, case: str
) -> None:
    statements, difference = CASES[case]
    await stage.sql(database, *statements)
    await stage.untrack(database)
    before = await stage.rows_of_the_catalogue(database)
    with pytest.raises(Unrecognised, match="Nothing was changed") as refused:
        await migrate(database)
    found = refused.value.found
    assert found.nearest == stage.VERSIONS[-1]
    told = [str(one) for one in found.differences]
    assert told[0].startswith(difference), told
    assert len(told) == (2 if case in ("table missing", "table in place of a view") else 1), told
    assert told[0] in refused.value.message
    assert await stage.rows_of_the_catalogue(database) == before

    # And what is shown to mend it does.
    await stage.sql(database, *(statement for one in found.differences for statement in one.statements))
    assert len((await migrate(database)).baselined) == stage.VERSIONS[-1]


async def test_a_foreign_key_that_is_switched_off_is_named(postgres_server: PostgresServer, database: str) -> None:
    """Only a superuser can: the key is there, and nothing obeys it."""
    admin = urlunsplit(urlsplit(postgres_server.admin_dsn)._replace(path=urlsplit(database).path))
    await stage.sql(admin, "ALTER TABLE attempts DISABLE TRIGGER ALL")
    with pytest.raises(Drifted) as refused:
        await migrate(database)
    (told,) = refused.value.differences
    assert str(told).startswith("constraint attempts.attempts_acquisition_id_fkey is `FOREIGN KEY (acquisition_id)")
    await stage.sql(database, *told.statements)
    assert (await migrate(database)).up_to_date


@pytest.mark.parametrize(
    "statements",
    [
        ["ALTER TABLE events RENAME TO mine", "CREATE TABLE events (LIKE mine)"],
        ["ALTER TABLE peers DROP COLUMN history_id", "ALTER TABLE peers ADD COLUMN mine text"],
        ["ALTER TABLE peers DROP COLUMN observed_until", "ALTER TABLE peers ADD COLUMN mine timestamptz"],
        ["DROP INDEX decisions_once", "CREATE UNIQUE INDEX a ON decisions (event_id, subject_id)", COPY],
    ],
)
async def test_what_may_be_another_thing_is_not_taken_for_a_renamed_one(database: str, statements: list[str]) -> None:
    await stage.sql(database, *statements)
    await stage.untrack(database)
    with pytest.raises(Unrecognised) as refused:
        await migrate(database)
    assert not [one for one in refused.value.found.differences if one.called]


async def test_repair_leaves_what_only_has_another_name_to_a_person(database: str) -> None:
    await stage.sql(database, "ALTER TABLE events RENAME TO mine")
    async with stage.connected(database) as connection:
        left = await repair(connection, stage.STEPS, print)
    assert [str(one) for one in left.differences] == ["table events is named mine"]


async def test_a_change_to_an_older_version_is_held_against_that_version(any_database: str) -> None:
    await stage.bring_to(any_database, 2, tracked=False)
    await stage.sql(any_database, "ALTER TABLE peers DROP COLUMN history_id")
    before = await stage.rows_of_the_catalogue(any_database)
    with pytest.raises(Unrecognised, match=r"nearest, 0002, it differs: column peers\.history_id is missing"):
        await migrate(any_database)
    assert await stage.rows_of_the_catalogue(any_database) == before
