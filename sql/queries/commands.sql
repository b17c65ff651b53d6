-- name: claim
-- At most one command runs for an acquisition. Two workers may still pick two commands of one acquisition at once: the
-- unique index then refuses the second, which picks again. The fence counts claims. $2 is what this release knows: kinds
-- that a newer one has ordered are left to its workers. MATERIALIZED: joined as a subquery it may be carried out once for
-- every row of a small table, and would lease a command each time, of which nobody hears.
WITH due AS MATERIALIZED (
    SELECT w.id
    FROM commands AS w
    WHERE w.state = 'waiting' AND w.due_at <= now() AND w.kind = ANY ($2::text[])
        AND NOT EXISTS (
            SELECT 1 FROM commands AS r WHERE r.acquisition_id = w.acquisition_id AND r.state = 'running')
    ORDER BY w.due_at, w.id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE commands AS c
SET state = 'running', fence = c.fence + 1, lease_until = now() + $1::interval
FROM due
WHERE c.id = due.id
RETURNING c.id, c.args, c.acquisition_id, c.attempt, c.attempts, c.fence, c.lease_until, now() - c.created_at AS age;

-- name: renew
UPDATE commands SET lease_until = now() + $3::interval WHERE id = $1 AND fence = $2 AND state = 'running' RETURNING id;

-- name: next_due
-- Without what waits for a running command: its end is announced, and until then looking again and again helps nobody.
SELECT extract(epoch FROM min(w.due_at) - now())::float8
FROM commands AS w
WHERE w.state = 'waiting' AND w.kind = ANY ($1::text[])
    AND NOT EXISTS (SELECT 1 FROM commands AS r WHERE r.acquisition_id = w.acquisition_id AND r.state = 'running');

-- name: finish
-- The fence: whoever lost the lease matches no row, and must then undo its transaction.
UPDATE commands
SET state = $3, lease_until = NULL, finished_at = clock_timestamp(), attempts = $4, reason = $5,
    last_error = coalesce($6, last_error)
WHERE id = $1 AND fence = $2 AND state = 'running'
RETURNING id;

-- name: again
-- Back to waiting; if another command with the same key waits already, that one does the work, and no later than this one
-- would have.
WITH sooner AS (
    UPDATE commands AS w
    SET due_at = least(w.due_at, now() + $4::interval)
    FROM commands AS mine
    WHERE mine.id = $1 AND mine.fence = $2 AND mine.state = 'running'
        AND w.coalesce_key = mine.coalesce_key AND w.state = 'waiting'
)
UPDATE commands AS c
SET state = CASE WHEN w.id IS NULL THEN 'waiting' ELSE 'cancelled' END,
    finished_at = CASE WHEN w.id IS NOT NULL THEN clock_timestamp() END,
    reason = CASE WHEN w.id IS NOT NULL THEN 'another one waits for the same' END,
    lease_until = NULL,
    attempts = $3,
    due_at = now() + $4::interval,
    last_error = coalesce($5, c.last_error)
FROM (SELECT $1::uuid AS id) AS one
LEFT JOIN commands AS mine ON mine.id = one.id
LEFT JOIN commands AS w ON w.coalesce_key = mine.coalesce_key AND w.state = 'waiting'
WHERE c.id = one.id AND c.fence = $2 AND c.state = 'running'
RETURNING c.id;

-- name: expired
SELECT id, args, acquisition_id, attempt, attempts, fence, lease_until, now() - created_at AS age
FROM commands
WHERE state = 'running' AND lease_until < now() AND kind = ANY ($1::text[])
ORDER BY lease_until
LIMIT 100
FOR UPDATE SKIP LOCKED;

-- name: mended
-- What waits because of a wrong key or address goes at once: the process that asks has begun with what is configured now.
UPDATE commands SET due_at = now()
WHERE state = 'waiting' AND due_at > now()
    AND (last_error LIKE '%: set %\_API\_KEY to the %' OR last_error LIKE '%: set %\_URL to the %');

-- name: order_by_clock
-- Work that the clock orders, at most one waiting or running of a kind at a time.
INSERT INTO commands (id, kind, coalesce_key, args, due_at, created_at)
SELECT $1, $2, $3, $4, now(), clock_timestamp()
WHERE NOT EXISTS (SELECT 1 FROM commands WHERE coalesce_key = $3 AND state IN ('waiting', 'running'))
ON CONFLICT (coalesce_key) WHERE state = 'waiting' DO NOTHING;

-- name: purge
-- Commands are means, not history: decisions keep what was ordered. Finished ones go after a while.
DELETE FROM commands WHERE state IN ('done', 'cancelled') AND finished_at < now() - $1::interval;
