-- name: stay
-- The transaction that lends its snapshot to pg_dump, or keeps the migrators' lock, is idle for as long as that takes.
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'statement_timeout', 'transaction_timeout');

-- name: about
SELECT pg_export_snapshot() AS snapshot,
    split_part(current_setting('server_version'), ' ', 1) AS version,
    pg_database_size(current_database()) AS database_bytes;

-- name: other_schemas
-- A database may be shared; its other schemas are none of our business.
SELECT nspname FROM pg_namespace
WHERE nspname <> current_schema() AND nspname !~ '^pg_' AND nspname <> 'information_schema';

-- name: tables
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
ORDER BY relname;

-- name: count_of
-- The statement that counts the rows of a table.
SELECT format('SELECT count(*) FROM %I', $1::text);

-- name: others
-- What is in the schema beside tables, so that `empty` means empty. What an extension brought doesn't count.
SELECT relname FROM pg_class AS c
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('v', 'm', 'S', 'f', 'p')
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
UNION ALL
SELECT proname || '()' FROM pg_proc AS p
WHERE pronamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1;

-- name: mark
-- Says of a database that a restore into it isn't finished. A schema of its own, so that no other look at ours sees it.
CREATE SCHEMA IF NOT EXISTS reprise_restore_underway;

-- name: mark_text
-- The statement that writes down which backup it is.
SELECT format('COMMENT ON SCHEMA reprise_restore_underway IS %L', $1::text);

-- name: marked
SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = 'reprise_restore_underway';

-- name: unmark
DROP SCHEMA IF EXISTS reprise_restore_underway;

-- name: analyze
-- A restored database has no statistics, and plans badly until autovacuum has been round.
ANALYZE;
