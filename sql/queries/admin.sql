-- name: event_state
SELECT state FROM event_status WHERE event_id = $1;

-- name: hold_event
-- No row: somebody else holds it, which means that it is being folded right now.
SELECT state, due_at <= now() AS due FROM event_status WHERE event_id = $1 FOR UPDATE SKIP LOCKED;

-- name: retry_dead
-- A dead event starts over, by itself: whatever killed it shall not hold up others. last_error stays until it is settled.
UPDATE event_status
SET state = 'waiting', attempts = 0, alone = true, reason = NULL, settled_at = NULL, due_at = now()
WHERE event_id = $1;

-- name: retry_now
UPDATE event_status SET due_at = now() WHERE event_id = $1;

-- name: count_dead
SELECT count(*)
FROM event_status AS s
JOIN events AS e ON e.id = s.event_id
WHERE s.state = 'dead'
    AND ($1::text IS NULL OR e.source = $1)
    AND ($2::text IS NULL OR e.type = $2)
    AND ($3::timestamptz IS NULL OR e.received_at >= $3)
    AND ($4::timestamptz IS NULL OR e.received_at < $4);

-- name: retry_many
-- One step of an operation: only events that died before it began ($5), so that one that dies again isn't tried for ever.
WITH dead AS MATERIALIZED (
    SELECT s.event_id
    FROM event_status AS s
    JOIN events AS e ON e.id = s.event_id
    WHERE s.state = 'dead'
        AND ($1::text IS NULL OR e.source = $1)
        AND ($2::text IS NULL OR e.type = $2)
        AND ($3::timestamptz IS NULL OR e.received_at >= $3)
        AND ($4::timestamptz IS NULL OR e.received_at < $4)
        AND s.settled_at <= $5
    ORDER BY s.event_id
    LIMIT $6
    FOR UPDATE OF s SKIP LOCKED
)
UPDATE event_status AS u
SET state = 'waiting', attempts = 0, alone = true, reason = NULL, settled_at = NULL, due_at = now()
FROM dead
WHERE u.event_id = dead.event_id;

-- name: start_operation
INSERT INTO operations (id, kind, args, total, started_at)
VALUES ($1, $2, $3, $4, clock_timestamp())
RETURNING id, kind, args, state, total, done, started_at, finished_at;

-- name: operation
SELECT id, kind, args, state, total, done, started_at, finished_at FROM operations WHERE id = $1;

-- name: take_operation
-- The row lock is the claim: any process may do the next step of any operation, but one at a time.
SELECT id, kind, args, state, total, done, started_at, finished_at
FROM operations
WHERE state = 'running'
ORDER BY started_at
LIMIT 1
FOR UPDATE SKIP LOCKED;

-- name: step_operation
UPDATE operations
SET done = done + $2, state = CASE WHEN $3 THEN 'done' ELSE state END,
    finished_at = CASE WHEN $3 THEN clock_timestamp() END
WHERE id = $1;

-- name: cancel_operation
UPDATE operations SET state = 'cancelled', finished_at = clock_timestamp()
WHERE id = $1 AND state = 'running'
RETURNING id, kind, args, state, total, done, started_at, finished_at;
