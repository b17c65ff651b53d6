-- name: jobs
-- A page of jobs, newest first; what their attempts and commands say is looked up for the page alone. A job that waits
-- for a peer which doesn't answer has no reason of its own yet: then the command's last error says why it waits.
WITH page AS MATERIALIZED (
    SELECT j.*
    FROM download_jobs AS j
    WHERE ($1::uuid[] IS NULL OR j.id = ANY ($1))
        AND ($2::text IS NULL OR j.state = $2)
        AND ($3::text IS NULL OR j.user_id = $3)
        AND ($4::uuid IS NULL OR j.batch_id = $4)
        AND ($5::uuid IS NULL OR j.album_mbid = $5)
        AND ($6::text IS NULL OR j.origin = $6)
        AND ($7::text IS NULL OR $7 = (
            SELECT t.source
            FROM attempts AS t
            WHERE t.acquisition_id = j.acquisition_id
            ORDER BY (t.finished_at IS NULL) DESC, t.number DESC
            LIMIT 1))
        AND ($8::timestamptz IS NULL OR (j.created_at, j.id) < ($8, $9::uuid))
    ORDER BY j.created_at DESC, j.id DESC
    LIMIT $10::bigint
)
SELECT p.id, p.user_id, p.origin, p.album_mbid, p.artist_name, p.album_title, p.batch_id, p.acquisition_id, p.state,
    t.source, a.attempt_count AS attempts, p.created_at, p.finished_at, coalesce(p.reason, w.last_error) AS reason
FROM page AS p
JOIN acquisitions AS a ON a.id = p.acquisition_id
LEFT JOIN LATERAL (
    SELECT t.source
    FROM attempts AS t
    WHERE t.acquisition_id = p.acquisition_id
    ORDER BY (t.finished_at IS NULL) DESC, t.number DESC
    LIMIT 1
) AS t ON true
LEFT JOIN LATERAL (
    SELECT c.last_error
    FROM commands AS c
    WHERE c.acquisition_id = p.acquisition_id AND c.state IN ('waiting', 'running') AND c.last_error IS NOT NULL
    ORDER BY c.created_at DESC
    LIMIT 1
) AS w ON p.reason IS NULL AND p.finished_at IS NULL
ORDER BY p.created_at DESC, p.id DESC;

-- name: history
SELECT d.sequence, d.decided_at, d.signal, d.outcome, d.reason, d.before_state, d.after_state, d.event_id,
    e.source AS event_source, e.type AS event_type, e.received_at AS event_received_at
FROM decisions AS d
LEFT JOIN events AS e ON e.id = d.event_id
WHERE d.subject_id = $1
ORDER BY d.sequence;

-- name: tried
SELECT number, source, state, coalesce(release_title, folder) AS release, peer, size_bytes,
    jsonb_array_length(files) AS files, files_arrived, reason, started_at, finished_at
FROM attempts
WHERE acquisition_id = $1
ORDER BY number;

-- name: batches
SELECT b.id, b.user_id, b.label, b.state, b.version, b.total, b.completed, b.failed, b.cancelled, b.created_at,
    b.finished_at
FROM discovery_batches AS b
WHERE ($1::uuid IS NULL OR b.id = $1)
    AND ($2::text IS NULL OR b.state = $2)
    AND ($3::text IS NULL OR b.user_id = $3)
    AND ($4::timestamptz IS NULL OR (b.created_at, b.id) < ($4, $5::uuid))
ORDER BY b.created_at DESC, b.id DESC
LIMIT $6::bigint;

-- name: batch_versions
SELECT version, at, state, total, completed, failed, cancelled, cause
FROM batch_versions
WHERE batch_id = $1 AND ($2::bigint IS NULL OR version < $2)
ORDER BY version DESC
LIMIT $3::bigint;

-- name: leftovers
-- What failed downloads left with slskd, newest first.
SELECT acquisition_id, attempt, artist_name, album_title, peer, folder, outcome, finished_at, files,
    size_bytes::bigint AS size_bytes, paths
FROM leftovers
WHERE $1::timestamptz IS NULL OR (finished_at, acquisition_id, attempt) < ($1, $2::uuid, $3::integer)
ORDER BY finished_at DESC, acquisition_id DESC, attempt DESC
LIMIT $4::bigint;

-- name: wanted_so_far
-- How far a wish for what Lidarr misses is: its batch ($1), the event that opens it ($2), the command that reads Lidarr ($3).
-- Once that is done without such an event, there was nothing to ask for.
SELECT EXISTS (SELECT 1 FROM discovery_batches WHERE id = $1) AS opened, s.state AS event_state, c.state AS command_state,
    coalesce(c.reason, c.last_error) AS says
FROM (SELECT) AS one
LEFT JOIN event_status AS s ON s.event_id = $2
LEFT JOIN commands AS c ON c.id = $3;
