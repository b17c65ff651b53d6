-- name: batch
SELECT id, user_id, label, state, version, total, completed, failed, cancelled, created_at, finished_at, sequence
FROM discovery_batches
WHERE id = $1;

-- name: count_jobs
-- Each album of a batch counts once, though it may have several jobs (of two users, or asked for again after a cancel):
-- by an open one, else by one that is complete, else by the latest.
SELECT state, count(*)
FROM (
    SELECT DISTINCT ON (album_mbid) state
    FROM download_jobs
    WHERE batch_id = $1
    ORDER BY album_mbid, (finished_at IS NULL) DESC, (state = 'completed') DESC, finished_at DESC, id
) AS albums
GROUP BY state;
