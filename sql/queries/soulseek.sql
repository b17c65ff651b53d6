-- name: lock_budget
-- One look at the budget at a time, fleet-wide: two workers must not both take the last search.
SELECT pg_advisory_xact_lock($1::bigint);

-- name: budget
-- How much of the search budget is used ($1: the window, $2: how long a search may seem to run), and whether the same
-- text ($3) was searched lately ($4). Real time, not the transaction's: the lock may have been waited for.
SELECT
    count(*) FILTER (WHERE started_at > clock_timestamp() - $1::interval) AS used,
    count(*) FILTER (WHERE ended_at IS NULL AND started_at > clock_timestamp() - $2::interval) AS running,
    min(started_at) FILTER (WHERE started_at > clock_timestamp() - $1::interval) + $1::interval - clock_timestamp()
        AS next_in,
    (SELECT s.id FROM soulseek_searches AS s
        WHERE s.text_key = $3 AND s.started_at > clock_timestamp() - $4::interval ORDER BY s.started_at DESC LIMIT 1) AS same
FROM soulseek_searches
WHERE started_at > clock_timestamp() - greatest($1::interval, $2::interval);

-- name: begin_search
INSERT INTO soulseek_searches (id, text_key, acquisition_id, started_at) VALUES ($1, $2, $3, clock_timestamp());

-- name: search_sent
-- From now on the window counts: the search went out between its note and this.
UPDATE soulseek_searches SET started_at = clock_timestamp() WHERE id = $1;

-- name: search_by_id
SELECT id, started_at, ended_at, clock_timestamp() - started_at AS age FROM soulseek_searches WHERE id = $1;

-- name: end_search
UPDATE soulseek_searches SET ended_at = clock_timestamp() WHERE id = $1 AND ended_at IS NULL;

-- name: give_back_search
-- slskd didn't take it, or has forgotten it, so it counts for nothing.
DELETE FROM soulseek_searches WHERE id = $1;

-- name: old_searches
-- What is too old to bound anything: its results may leave slskd, too.
SELECT id FROM soulseek_searches WHERE started_at < clock_timestamp() - $1::interval ORDER BY started_at LIMIT $2;

-- name: lock_slots
SELECT pg_advisory_xact_lock($1::bigint);

-- name: free_slots
-- A slot is held as long as its acquisition has an open attempt, and we drive it: what Lidarr alone goes on with has no
-- deadline that would ever end it.
DELETE FROM download_slots AS s
WHERE NOT EXISTS (
    SELECT 1 FROM attempts AS t
    JOIN acquisitions AS a ON a.id = t.acquisition_id
    WHERE t.acquisition_id = s.acquisition_id AND a.origin = 'asked'
        AND t.state IN ('searching', 'downloading', 'importing'));

-- name: take_slot
-- The slot of this acquisition, its own or a free one; no row where all $2 are taken.
INSERT INTO download_slots (acquisition_id, taken_at)
SELECT $1, clock_timestamp()
WHERE EXISTS (SELECT 1 FROM download_slots WHERE acquisition_id = $1)
    OR (SELECT count(*) FROM download_slots) < $2
ON CONFLICT (acquisition_id) DO UPDATE SET taken_at = download_slots.taken_at
RETURNING acquisition_id;

-- name: blocked
-- Folders that failed for this album, whoever asked for it and however long ago.
SELECT peer, folder FROM blocklist WHERE album_mbid = $1 AND source = 'soulseek';

-- name: peers_out
-- Peers whose downloads failed too often ($2) within this time ($1), of whatever album.
SELECT peer FROM attempts
WHERE peer IS NOT NULL AND state = 'failed' AND finished_at > now() - $1::interval
GROUP BY peer
HAVING count(*) >= $2;

-- name: wanted_elsewhere
-- Files of this peer that another open attempt waits for: they stay with slskd.
SELECT f.file ->> 'filename' AS filename
FROM attempts AS t
CROSS JOIN LATERAL jsonb_array_elements(t.files) AS f (file)
WHERE t.peer = $1 AND t.state IN ('downloading', 'importing') AND (t.acquisition_id, t.number) <> ($2::uuid, $3::integer);

-- name: claimed_since
-- Where the file of a newer attempt, or of one that is under way, has been put in the same place ($3): what lies there now
-- isn't this one's.
SELECT DISTINCT f.file ->> 'local' AS local
FROM attempts AS t
CROSS JOIN LATERAL jsonb_array_elements(t.files) AS f (file)
WHERE t.peer IS NOT NULL AND f.file ->> 'local' = ANY ($3::text[])
    AND (t.acquisition_id, t.number) <> ($1::uuid, $2::integer)
    AND (t.state IN ('downloading', 'importing')
        OR t.grabbed_at > (SELECT grabbed_at FROM attempts WHERE acquisition_id = $1 AND number = $2));
