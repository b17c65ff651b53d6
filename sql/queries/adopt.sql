-- name: one_at_a_time
-- Two adoptions at once would both find that a row isn't here yet. Ends with the transaction.
SELECT pg_advisory_xact_lock($1::bigint);

-- name: events_here
SELECT id FROM events WHERE id = ANY ($1::uuid[]);

-- name: acquisitions_here
SELECT id FROM acquisitions WHERE id = ANY ($1::uuid[]);

-- name: batches_here
SELECT id FROM discovery_batches WHERE id = ANY ($1::uuid[]);

-- name: keep_events
-- History that was processed elsewhere: born settled, so no worker ever claims it. It bears no dedupe key: a delivery of
-- ours that says the same must not be folded into an event that our rules never saw.
WITH theirs AS (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bytea[], $7::text[], $8::text[],
        $9::text[], $10::integer[], $11::timestamptz[])
        AS t (id, source, type, received_at, correlation_id, body, state, reason, last_error, attempts, settled_at)
),
kept AS (
    INSERT INTO events (id, source, type, received_at, correlation_id, body)
    SELECT id, source, type, received_at, correlation_id, body
    FROM theirs
    ORDER BY id
    ON CONFLICT (id) DO NOTHING
    RETURNING id
)
INSERT INTO event_status (event_id, state, due_at, attempts, reason, last_error, settled_at)
SELECT t.id, t.state, t.received_at, t.attempts, t.reason, t.last_error, t.settled_at
FROM theirs AS t
JOIN kept AS k ON k.id = t.id
ORDER BY t.id;

-- name: resumable
-- Jobs that arrived cancelled because they were active there, unless the same wish is active here already: the index
-- of active jobs would refuse a second one.
SELECT j.id, j.batch_id
FROM download_jobs AS j
WHERE j.id = $1 AND j.state = 'cancelled' AND j.reason = $2
    AND NOT EXISTS (
        SELECT 1 FROM download_jobs AS o
        WHERE o.user_id = j.user_id AND o.album_mbid = j.album_mbid AND o.batch_id IS NOT DISTINCT FROM j.batch_id
            AND o.state NOT IN ('completed', 'failed', 'cancelled'));

-- name: would_open
SELECT count(*)
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[]) AS w (id, user_id, album_mbid, batch_id)
WHERE NOT EXISTS (
        SELECT 1 FROM download_jobs AS o
        WHERE o.user_id = w.user_id AND o.album_mbid = w.album_mbid AND o.batch_id IS NOT DISTINCT FROM w.batch_id
            AND o.state NOT IN ('completed', 'failed', 'cancelled'))
    AND NOT EXISTS (
        SELECT 1 FROM download_jobs AS j
        WHERE j.id = w.id AND NOT (j.state = 'cancelled' AND j.reason = $5));

-- name: untouched_batch
-- Adopted as cancelled because it was open there, and nobody has changed it since.
SELECT v.cause = 'adopted' AND b.state = 'cancelled' AS untouched
FROM discovery_batches AS b
JOIN batch_versions AS v ON v.batch_id = b.id AND v.version = b.version
WHERE b.id = $1;
