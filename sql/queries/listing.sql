-- name: events
-- One page of the log, newest first. Ids sort by time, so the time filters narrow the key as well: $8 and $9 are ids
-- a minute beyond since and until. The page is cut before its deliveries and jobs are looked up.
-- q is sought byte for byte (ASCII letters in any case): a body may be no UTF-8, so it can't become text.
SELECT page.*,
    1 + (SELECT count(*) FROM folded_deliveries AS f WHERE f.event_id = page.id) AS deliveries,
    ARRAY(
        SELECT DISTINCT j.id
        FROM decisions AS d
        JOIN download_jobs AS j ON j.acquisition_id = d.subject_id
        WHERE d.event_id = page.id
        ORDER BY j.id
    ) AS job_ids
FROM (
    SELECT e.id, e.source, e.type, s.state, e.dedupe_key, e.received_at, s.attempts, e.correlation_id, s.reason,
        s.last_error
    FROM events AS e
    JOIN event_status AS s ON s.event_id = e.id
    WHERE ($1::text IS NULL OR e.source = $1)
        AND ($2::text IS NULL OR e.type = $2)
        AND ($3::text IS NULL OR s.state = $3)
        AND ($4::timestamptz IS NULL OR e.received_at >= $4)
        AND ($5::timestamptz IS NULL OR e.received_at < $5)
        AND ($6::text IS NULL OR e.correlation_id = $6)
        AND (
            $7::text IS NULL
            OR position(lower(encode(convert_to($7, 'UTF8'), 'escape')) IN lower(encode(e.body, 'escape'))) > 0
            OR position(lower($7) IN lower(concat_ws(' ', e.id, e.correlation_id, s.reason, s.last_error))) > 0
        )
        AND ($8::uuid IS NULL OR e.id >= $8)
        AND ($9::uuid IS NULL OR e.id < $9)
        AND ($10::uuid IS NULL OR e.id < $10)
    ORDER BY e.id DESC
    LIMIT $11
) AS page
ORDER BY page.id DESC;

-- name: event
SELECT e.id, e.source, e.type, s.state, e.dedupe_key, e.received_at, s.attempts, e.correlation_id, s.reason,
    s.last_error,
    1 + (SELECT count(*) FROM folded_deliveries AS f WHERE f.event_id = e.id) AS deliveries,
    ARRAY(
        SELECT DISTINCT j.id
        FROM decisions AS d
        JOIN download_jobs AS j ON j.acquisition_id = d.subject_id
        WHERE d.event_id = e.id
        ORDER BY j.id
    ) AS job_ids
FROM events AS e
JOIN event_status AS s ON s.event_id = e.id
WHERE e.id = $1;

-- name: body
SELECT body FROM events WHERE id = $1;

-- name: retry_event
-- Only what isn't settled for good may run again: another fold of a processed event is a replay. It starts with all its
-- attempts, and by itself, so that a poisonous one can't take others along.
UPDATE event_status
SET state = 'waiting', due_at = now(), attempts = 0, alone = true, waits_for = NULL, settled_at = NULL
WHERE event_id = $1 AND state IN ('waiting', 'parked', 'dead')
RETURNING state;

-- name: jobs
-- One page, newest first; ($6, $7) is where the page before ended.
SELECT page.*,
    (
        SELECT t.source FROM attempts AS t WHERE t.acquisition_id = page.acquisition_id ORDER BY t.number DESC LIMIT 1
    ) AS source
FROM (
    SELECT j.id, j.user_id, j.origin, j.album_mbid, j.artist_name, j.album_title, j.batch_id, j.acquisition_id, j.state,
        a.attempt_count AS attempts, j.created_at, j.finished_at, j.reason
    FROM download_jobs AS j
    JOIN acquisitions AS a ON a.id = j.acquisition_id
    WHERE ($1::text IS NULL OR j.state = $1)
        AND ($2::text IS NULL OR j.user_id = $2)
        AND ($3::uuid IS NULL OR j.album_mbid = $3)
        AND ($4::uuid IS NULL OR j.batch_id = $4)
        AND ($5::text IS NULL OR position(lower($5) IN lower(concat_ws(' - ', j.artist_name, j.album_title))) > 0)
        AND ($6::timestamptz IS NULL OR (j.created_at, j.id) < ($6, $7::uuid))
    ORDER BY j.created_at DESC, j.id DESC
    LIMIT $8
) AS page
ORDER BY page.created_at DESC, page.id DESC;

-- name: job
SELECT j.id, j.user_id, j.origin, j.album_mbid, j.artist_name, j.album_title, j.batch_id, j.acquisition_id, j.state,
    a.attempt_count AS attempts, j.created_at, j.finished_at, j.reason,
    (
        SELECT t.source FROM attempts AS t WHERE t.acquisition_id = j.acquisition_id ORDER BY t.number DESC LIMIT 1
    ) AS source
FROM download_jobs AS j
JOIN acquisitions AS a ON a.id = j.acquisition_id
WHERE j.id = $1;

-- name: job_history
SELECT sequence, decided_at, signal, outcome, before_state, after_state, reason, event_id, event_source, event_type,
    event_received_at
FROM job_history
WHERE job_id = $1
ORDER BY sequence;

-- name: batches
-- One page, newest first; ($3, $4) is where the page before ended.
SELECT id, user_id, label, state, version, total, completed, failed, cancelled, created_at, finished_at
FROM discovery_batches
WHERE ($1::text IS NULL OR state = $1)
    AND ($2::text IS NULL OR user_id = $2)
    AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
ORDER BY created_at DESC, id DESC
LIMIT $5;

-- name: batch
SELECT id, user_id, label, state, version, total, completed, failed, cancelled, created_at, finished_at
FROM discovery_batches
WHERE id = $1;

-- name: jobs_of_batch
SELECT j.id, j.user_id, j.origin, j.album_mbid, j.artist_name, j.album_title, j.batch_id, j.acquisition_id, j.state,
    a.attempt_count AS attempts, j.created_at, j.finished_at, j.reason,
    (
        SELECT t.source FROM attempts AS t WHERE t.acquisition_id = j.acquisition_id ORDER BY t.number DESC LIMIT 1
    ) AS source
FROM download_jobs AS j
JOIN acquisitions AS a ON a.id = j.acquisition_id
WHERE j.batch_id = $1
ORDER BY j.artist_name, j.album_title, j.id;

-- name: batch_history
SELECT version, at, state, total, completed, failed, cancelled, cause
FROM batch_versions
WHERE batch_id = $1
ORDER BY version;
