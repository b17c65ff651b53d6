-- name: premises
-- What is looked at is the first schema of the search path, so that one of one's own works too. Our tables may be visible in
-- another one behind it; a ledger there may be anybody's.
WITH ledger AS (
    SELECT c.oid FROM pg_class AS c
    WHERE c.relname = 'schema_migrations' AND c.relnamespace = to_regnamespace(quote_ident(current_schema()))
)
SELECT current_setting('server_version_num')::integer / 10000 AS major,
    current_setting('server_encoding') AS encoding,
    current_schema()::text AS here,
    (
        SELECT n.nspname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = to_regclass('event_status')
    ) AS ours_in,
    (
        SELECT count(*) FILTER (WHERE a.attname IN ('version', 'name', 'checksum', 'applied_at')) = 4
            AND bool_or(a.attname = 'version' AND a.atttypid = 'integer'::regtype)
        FROM ledger AS l JOIN pg_attribute AS a ON a.attrelid = l.oid AND a.attnum > 0 AND NOT a.attisdropped
        HAVING count(*) > 0
    ) AS ledger_is_ours;

-- name: ledger_exists
SELECT EXISTS (
    SELECT 1 FROM pg_class
    WHERE relname = 'schema_migrations' AND relnamespace = to_regnamespace(quote_ident(current_schema()))
);

-- name: make_ledger
-- Runs under the lock: two CREATE TABLE IF NOT EXISTS at once can still collide in the catalogue.
CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    how text NOT NULL DEFAULT 'applied',
    CONSTRAINT schema_migrations_how CHECK (how IN ('underway', 'applied', 'baselined'))
);

-- name: ledger_is_old
-- Asked first, because ALTER TABLE locks out whoever reads the ledger, even where there is nothing to add.
SELECT NOT EXISTS (
    SELECT 1 FROM pg_attribute
    WHERE attrelid = 'schema_migrations'::regclass AND attname = 'how' AND NOT attisdropped
);

-- name: extend_ledger
-- A ledger that was made before recognised schemas were recorded.
ALTER TABLE schema_migrations
    ADD COLUMN how text NOT NULL DEFAULT 'applied',
    ADD CONSTRAINT schema_migrations_how CHECK (how IN ('underway', 'applied', 'baselined'));

-- name: ledger
-- By way of jsonb, so that a ledger without the column `how` is read as well.
SELECT version, name, checksum, applied_at, coalesce(to_jsonb(m) ->> 'how', 'applied') AS how
FROM schema_migrations AS m WHERE version > 0 ORDER BY version;

-- name: try_lock
-- Bound to the transaction, so that it works through PgBouncer and can't be forgotten. Tried again and again rather
-- than waited for: a statement that waits holds a snapshot, and CREATE INDEX CONCURRENTLY waits for every snapshot, so
-- that the holder of the lock would wait for those who wait for it.
SELECT pg_try_advisory_xact_lock($1::bigint);

-- name: stay
-- The transaction that keeps the lock is idle for as long as an index is built. Sent as a simple query, it also closes
-- the portal of the query before it, and with that the last snapshot.
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout');

-- name: lock_timeout
SELECT set_config('lock_timeout', $1, true);

-- name: is_applied
SELECT EXISTS (SELECT 1 FROM schema_migrations AS m WHERE version = $1 AND how <> 'underway');

-- name: begin_step
-- A step without transaction leaves a mark, so that what is half done isn't taken for damage.
INSERT INTO schema_migrations (version, name, checksum, how) VALUES ($1, $2, $3, 'underway')
ON CONFLICT (version) DO UPDATE SET checksum = excluded.checksum;

-- name: record
INSERT INTO schema_migrations (version, name, checksum, how) VALUES ($1, $2, $3, $4)
ON CONFLICT (version) DO UPDATE SET how = excluded.how, applied_at = clock_timestamp() WHERE schema_migrations.how = 'underway';

-- name: forget
DELETE FROM schema_migrations WHERE version = $1;

-- name: is_being_built
-- The server builds on when the process that asked for it is killed.
SELECT EXISTS (
    SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid = to_regclass($1) AND pid <> pg_backend_pid()
);

-- name: drop_of_invalid
-- The statement that removes an index whose build was interrupted; no row if it's whole or absent.
SELECT format('DROP INDEX CONCURRENTLY IF EXISTS %s', indexrelid::regclass)
FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid;

-- name: count_of_rows
-- The statement that counts the rows of a table; NULL if there is none of this name.
SELECT format('SELECT count(*) FROM %s', to_regclass($1));

-- name: count_of_values
-- The statement that counts the values of a column.
SELECT format('SELECT count(%I) FROM %s', $2::text, to_regclass($1));

-- name: processes
-- Connections of running processes. Commands are gone in a moment, and don't count.
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name ~ '^reprise (api|receiver|worker)' AND pid <> pg_backend_pid();
