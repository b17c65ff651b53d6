-- name: append
-- One statement for every delivery that waits. Keys are claimed and rows written in sorted order (DISTINCT ON sorts), so
-- that two groups can't deadlock; the update that changes nothing makes the row of the first event come back.
-- due_at never lies in our future, whatever the receiver's clock says.
WITH incoming AS (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::bytea[])
        AS d (id, source, type, received_at, dedupe_key, correlation_id, body)
),
keyed AS (
    INSERT INTO event_keys (source, key, event_id)
    SELECT DISTINCT ON (source, dedupe_key) source, dedupe_key, id
    FROM incoming
    WHERE dedupe_key IS NOT NULL
    ORDER BY source, dedupe_key, id
    ON CONFLICT (source, key) DO UPDATE SET event_id = event_keys.event_id
    RETURNING source, key, event_id
),
placed AS (
    SELECT i.*, coalesce(k.event_id, i.id) AS first_id
    FROM incoming AS i
    LEFT JOIN keyed AS k ON k.source = i.source AND k.key = i.dedupe_key
),
stored AS (
    INSERT INTO events (id, source, type, received_at, dedupe_key, correlation_id, body)
    SELECT id, source, type, received_at, dedupe_key, correlation_id, body
    FROM placed
    WHERE first_id = id
    ORDER BY id
    ON CONFLICT (id) DO NOTHING
),
queued AS (
    INSERT INTO event_status (event_id, due_at)
    SELECT id, least(received_at, now())
    FROM placed
    WHERE first_id = id
    ORDER BY id
    ON CONFLICT (event_id) DO NOTHING
),
folded AS (
    INSERT INTO folded_deliveries (id, event_id, received_at, body)
    SELECT id, first_id, received_at, body
    FROM placed
    WHERE first_id <> id
    ORDER BY id
    ON CONFLICT (id) DO NOTHING
)
SELECT id, first_id FROM placed;

-- name: claim
-- The row lock is the claim; SKIP LOCKED lets many workers share the backlog without waiting for each other. MATERIALIZED:
-- it must be carried out once, whatever the planner thinks of the tables' sizes.
WITH due AS MATERIALIZED (
    SELECT event_id, due_at, attempts
    FROM event_status
    WHERE state = 'waiting' AND due_at <= now() AND alone = $2
    ORDER BY due_at, event_id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
SELECT e.id, e.source, e.type, e.body, e.received_at, e.correlation_id, s.attempts
FROM due AS s
JOIN events AS e ON e.id = s.event_id
ORDER BY s.due_at, s.event_id;

-- name: claim_these
SELECT e.id, e.source, e.type, e.body, e.received_at, e.correlation_id, s.attempts
FROM (
    SELECT event_id, attempts
    FROM event_status
    WHERE state = 'waiting' AND event_id = ANY ($1::uuid[])
    ORDER BY event_id
    FOR UPDATE
) AS s
JOIN events AS e ON e.id = s.event_id
ORDER BY e.id;

-- name: settle
UPDATE event_status AS s
SET state = n.state,
    reason = n.reason,
    last_error = coalesce(n.last_error, s.last_error),
    attempts = n.attempts,
    due_at = coalesce(now() + n.due_in, s.due_at),
    waits_for = string_to_array(n.waits_for, E'\x1f'),
    alone = n.alone,
    settled_at = CASE WHEN n.state IN ('processed', 'ignored', 'dead') THEN clock_timestamp() END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::interval[], $7::text[], $8::boolean[])
    AS n (event_id, state, reason, last_error, attempts, due_in, waits_for, alone)
WHERE s.event_id = n.event_id;

-- name: isolate
-- SKIP LOCKED: whoever has claimed one of them meanwhile folds it in a batch of its own.
UPDATE event_status SET alone = true
WHERE event_id IN (
    SELECT event_id FROM event_status WHERE event_id = ANY ($1::uuid[]) AND state = 'waiting' FOR UPDATE SKIP LOCKED);

-- name: wake_parked
UPDATE event_status
SET state = 'waiting', waits_for = NULL, due_at = least(due_at, now())
WHERE state = 'parked' AND waits_for && $1::text[];

-- name: expire_parked
-- SKIP LOCKED: what is being woken at this moment has not waited in vain.
UPDATE event_status
SET state = 'ignored', waits_for = NULL, reason = $2, settled_at = clock_timestamp()
WHERE event_id IN (
    SELECT s.event_id
    FROM event_status AS s
    JOIN events AS e ON e.id = s.event_id
    WHERE s.state = 'parked' AND e.received_at < now() - $1::interval
    FOR UPDATE OF s SKIP LOCKED);

-- name: events_of
SELECT e.id, e.source, e.type, e.body, e.received_at, e.correlation_id, s.attempts
FROM events AS e
JOIN event_status AS s ON s.event_id = e.id
WHERE e.id = ANY ($1::uuid[]);
