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
