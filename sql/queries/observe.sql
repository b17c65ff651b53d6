-- name: cursor
-- One row, whether the peer is known yet or not; at is real time, not the transaction's.
SELECT clock_timestamp() AS at, p.observed_until, p.observed_at, coalesce(p.silent, false) AS silent
FROM (SELECT $1::text AS name) AS wanted
LEFT JOIN peers AS p ON p.name = wanted.name;

-- name: oldest_active
-- Where the first look begins: nothing older can matter to what is under way.
SELECT min(created_at) FROM acquisitions WHERE state NOT IN ('completed', 'failed', 'cancelled');

-- name: known_keys
SELECT key FROM event_keys WHERE source = $1 AND key = ANY ($2::text[]);

-- name: first_events
-- Which event first bore each of these keys, and whether it has been delivered again since.
SELECT k.key, k.event_id, EXISTS (SELECT 1 FROM folded_deliveries AS f WHERE f.event_id = k.event_id) AS repeated
FROM event_keys AS k
WHERE k.source = $1 AND k.key = ANY ($2::text[]);

-- name: move_cursor
-- Never backwards: two looks may end in either order. Only from the future back to now: a peer's clock was wrong then.
UPDATE peers
SET observed_until = greatest(CASE WHEN observed_until < clock_timestamp() THEN observed_until END, $2), history_id = greatest(history_id, $3), observed_at = clock_timestamp()
WHERE name = $1;

-- name: timed
-- Every open attempt of what we drive, and (number 0) every acquisition that hasn't begun; of those, the ones whose state
-- peer $1 tells. in_line: adding the album was ordered and no worker has come to it yet, or its files aren't all enqueued.
SELECT a.id AS acquisition_id, a.reason, coalesce(t.number, 0) AS number, t.state, coalesce(t.source, '') AS source,
    t.download_id, a.lidarr_album_id, t.grab_history_id, t.end_history_id IS NOT NULL AS end_known, t.searched_at,
    coalesce(t.started_at, a.created_at) AS started_at, t.peer, t.files,
    EXISTS (
        SELECT 1 FROM commands AS c
        WHERE c.acquisition_id = a.id
            AND (c.kind = 'EnsureAlbum' AND t.number IS NULL AND c.state = 'waiting' AND c.fence = 0
                OR c.kind = 'EnqueueDownload' AND c.attempt = t.number AND c.state IN ('waiting', 'running'))) AS in_line
FROM acquisitions AS a
LEFT JOIN attempts AS t ON t.acquisition_id = a.id AND t.state IN ('searching', 'downloading', 'importing')
WHERE a.state NOT IN ('completed', 'failed', 'cancelled')
    AND a.origin = 'asked'
    AND (t.number IS NOT NULL OR a.state = 'pending' AND a.reason IS DISTINCT FROM $2)
    AND CASE WHEN t.source = 'soulseek' AND t.state <> 'importing' THEN 'slskd' ELSE 'lidarr' END = $1
ORDER BY a.id, t.number;

-- name: lock_watches
SELECT acquisition_id, attempt, phase, phase_s, total_s, mark, absent, seen_at
FROM watches
WHERE (acquisition_id, attempt) IN (SELECT * FROM unnest($1::uuid[], $2::integer[]))
ORDER BY acquisition_id, attempt
FOR UPDATE;

-- name: save_watches
INSERT INTO watches AS w (acquisition_id, attempt, phase, phase_s, total_s, mark, absent, seen_at)
SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::float8[], $5::float8[], $6::bigint[], $7::integer[],
    $8::timestamptz[])
ON CONFLICT (acquisition_id, attempt) DO UPDATE SET
    phase = excluded.phase,
    phase_s = excluded.phase_s,
    total_s = excluded.total_s,
    mark = excluded.mark,
    absent = excluded.absent,
    seen_at = excluded.seen_at;

-- name: forget_watches
-- Of what is over; SKIP LOCKED, because another look may be doing the same.
DELETE FROM watches
WHERE (acquisition_id, attempt) IN (
    SELECT w.acquisition_id, w.attempt
    FROM watches AS w
    LEFT JOIN acquisitions AS a ON a.id = w.acquisition_id
    LEFT JOIN attempts AS t ON t.acquisition_id = w.acquisition_id AND t.number = w.attempt
    WHERE coalesce(
        CASE WHEN w.attempt = 0 THEN a.state <> 'pending' ELSE t.state NOT IN ('searching', 'downloading', 'importing') END,
        true)
    FOR UPDATE OF w SKIP LOCKED);

-- name: told_since
-- Whether any of these types of a source was received since then; $3 is the least id of that time.
SELECT EXISTS (
    SELECT 1 FROM events
    WHERE source = $1 AND type = ANY ($2::text[]) AND id >= $3 AND received_at >= $4::timestamptz);

-- name: set_silent
-- Answers only where that is news.
UPDATE peers SET silent = $2 WHERE name = $1 AND silent <> $2 RETURNING name;
