-- name: batch
SELECT id, user_id, label, state, version, total, completed, failed, cancelled, created_at, finished_at, sequence
FROM discovery_batches
WHERE id = $1;

-- name: count_jobs
-- Each album of a batch counts once, by its latest job: a retried job is the same row, so this is one row an album.
SELECT state, count(DISTINCT album_mbid) FROM download_jobs WHERE batch_id = $1 GROUP BY state;
