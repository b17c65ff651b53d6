-- name: settle_in
-- Their tables are named without a schema below: this names it, for the length of the transaction. A snapshot of a large
-- database takes its time, so none of their limits on statements applies to it.
SELECT set_config('search_path', quote_ident($1), true), set_config('statement_timeout', '0', true),
    set_config('idle_in_transaction_session_timeout', '0', true);

-- name: columns
-- What is really there, whatever their migration history says.
SELECT c.relname AS table_name, a.attname AS column_name, format_type(a.atttypid, NULL) AS type
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relname = ANY ($2::text[])
ORDER BY c.relname, a.attnum;

-- name: schemas_with
SELECT n.nspname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = $1 AND c.relkind IN ('r', 'p')
ORDER BY n.nspname;

-- name: has_index
SELECT EXISTS (
    SELECT 1
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'i');

-- name: migrations
-- Theirs, as they are recorded: finished, and not rolled back.
SELECT migration_name FROM "_prisma_migrations"
WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL
ORDER BY migration_name;

-- name: events
-- The payload as text, exactly as jsonb prints it; the rest by name, so that a missing column is merely absent.
SELECT e.payload::text AS payload, to_jsonb(e) - 'payload' AS row
FROM "WebhookEvent" AS e
ORDER BY e."createdAt", e.id;

-- name: jobs
-- Jobs of one batch come together, those without one first.
SELECT to_jsonb(j) AS row
FROM "DownloadJob" AS j
ORDER BY coalesce(to_jsonb(j) ->> 'discoveryBatchId', ''), j."createdAt", j.id;

-- name: batches
SELECT to_jsonb(b) AS row
FROM "DiscoveryBatch" AS b
ORDER BY b."createdAt", b.id;

-- name: settings
SELECT to_jsonb(s) AS row
FROM "SystemSettings" AS s
ORDER BY s.id
LIMIT 1;
