-- name: without_source
-- Locked, so that two sweeps don't resume the same one; those that have just been resumed no longer match.
SELECT id FROM acquisitions AS a
WHERE state = 'pending' AND reason = $1
    AND NOT EXISTS (
        SELECT 1 FROM events AS e
        JOIN event_status AS s ON s.event_id = e.id
        WHERE e.correlation_id = a.id::text AND e.type = 'SourceAppeared' AND s.state = 'waiting')
LIMIT 500
FOR UPDATE SKIP LOCKED;

-- name: backlog
SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,
    count(*) FILTER (WHERE state = 'parked') AS parked,
    count(*) FILTER (WHERE state = 'dead') AS dead,
    coalesce(extract(epoch FROM now() - min(due_at) FILTER (WHERE state = 'waiting' AND due_at <= now())), 0)::float8
        AS oldest_s
FROM event_status
WHERE state IN ('waiting', 'parked', 'dead');

-- name: jobs
-- Active jobs, and those that ended within the last day: the gauge must not count all of history.
SELECT coalesce(t.source, 'none') AS source, j.state, count(*) AS count
FROM download_jobs AS j
LEFT JOIN LATERAL (
    SELECT source FROM attempts WHERE acquisition_id = j.acquisition_id ORDER BY number DESC LIMIT 1) AS t ON true
WHERE j.finished_at IS NULL OR j.finished_at > now() - interval '1 day'
GROUP BY 1, 2;

-- name: wanted_turn
-- Whose turn it is to ask for what a peer misses: one worker's in each interval ($2), and nobody's before it is over.
UPDATE peers SET wanted_at = clock_timestamp()
WHERE name = $1 AND (wanted_at IS NULL OR wanted_at <= clock_timestamp() - $2::interval)
RETURNING name;

-- name: looks_due
-- Peers ($1) whose last good look is older than $2 of each where something of ours is under way there, else than $3; $4 is
-- the reason of what has no source. Many workers ask this every second, so it begins with what is active, which has an
-- index of its own.
WITH under_way AS (
    SELECT DISTINCT CASE WHEN t.source = 'soulseek' AND t.state <> 'importing' THEN 'slskd' ELSE 'lidarr' END AS name
    FROM acquisitions AS a
    LEFT JOIN attempts AS t ON t.acquisition_id = a.id AND t.state IN ('searching', 'downloading', 'importing')
    WHERE a.state NOT IN ('completed', 'failed', 'cancelled')
        AND a.origin = 'asked'
        AND (t.number IS NOT NULL OR a.reason IS DISTINCT FROM $4)
)
SELECT w.name
FROM unnest($1::text[], $2::interval[]) AS w (name, fast)
LEFT JOIN peers AS p ON p.name = w.name
LEFT JOIN under_way AS u ON u.name = w.name
WHERE coalesce(p.observed_at <= now() - CASE WHEN u.name IS NULL THEN $3::interval ELSE w.fast END, true)
ORDER BY w.name;

-- name: silent
SELECT name, silent FROM peers WHERE name = ANY ($1::text[]);
