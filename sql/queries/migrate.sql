-- name: ledger_exists
-- Looks in the search path, so that a schema of one's own works too.
SELECT to_regclass('schema_migrations') IS NOT NULL;

-- name: make_ledger
-- Runs under the lock: two CREATE TABLE IF NOT EXISTS at once can still collide in the catalogue.
CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- name: ledger
SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version;

-- name: lock
-- Bound to the transaction, so that it works through PgBouncer and can't be forgotten.
SELECT pg_advisory_xact_lock($1::bigint);

-- name: lock_timeout
SELECT set_config('lock_timeout', $1, true);

-- name: is_applied
SELECT EXISTS (SELECT 1 FROM schema_migrations WHERE version = $1);

-- name: record
INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3);
