-- name: open
-- Losing this row in a crash of Postgres loses nothing: its fold is lost with it. So the commit need not wait for the disk.
WITH fast AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO fold_runs (id, event_ids) SELECT $1, $2 FROM fast;

-- name: close
DELETE FROM fold_runs WHERE id = $1;

-- name: suspects
SELECT id, event_ids FROM fold_runs WHERE started_at < clock_timestamp() - $1::interval LIMIT 20 FOR UPDATE SKIP LOCKED;

-- name: abandoned
-- The fold holds its events' locks to its end; whatever can be locked here is held by nobody any more.
SELECT s.event_id, s.attempts, s.last_error
FROM event_status AS s
WHERE s.event_id = ANY ($1::uuid[]) AND s.state = 'waiting'
ORDER BY s.event_id
FOR UPDATE SKIP LOCKED;

-- name: any_waiting
SELECT EXISTS (SELECT 1 FROM event_status WHERE event_id = ANY ($1::uuid[]) AND state = 'waiting');
