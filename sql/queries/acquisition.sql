-- name: hold_still
-- Folds that concern one album or download wait for each other here, whether the row exists yet or not. The keys come
-- sorted, so that two folds can't wait for each other in a circle; the subquery keeps that order. The gate ($2), held
-- by all of them, is passed first: its lock is an argument of unnest.
SELECT count(pg_advisory_xact_lock(key))
FROM (
    SELECT key
    FROM unnest(CASE WHEN pg_advisory_xact_lock_shared($2)::text IS NOT NULL THEN $1::bigint[] END) AS key
    OFFSET 0
) AS sorted;

-- name: hold_all_still
-- The gate closed: for a fold of so many keys that a lock for each would not fit Postgres' table of locks.
SELECT pg_advisory_xact_lock($1::bigint);

-- name: jobs_homes
SELECT id, acquisition_id, album_mbid FROM download_jobs WHERE id = ANY ($1::uuid[]) OR batch_id = ANY ($2::uuid[]);

-- name: concerned
-- Every acquisition that a signal might be about: of these albums, with these downloads, or named outright.
SELECT id FROM acquisitions WHERE album_mbid = ANY ($1::uuid[])
UNION
SELECT acquisition_id FROM attempts WHERE lower(download_id COLLATE "C") = ANY ($2::text[])
UNION
SELECT id FROM acquisitions WHERE id = ANY ($3::uuid[])
UNION
SELECT acquisition_id FROM attempts WHERE peer = ANY ($4::text[]) AND state IN ('searching', 'downloading', 'importing');

-- name: decided_before
SELECT event_id, subject_id FROM decisions WHERE event_id = ANY ($1::uuid[]);

-- name: lock_acquisitions
SELECT id, album_mbid, artist_mbid, artist_name, album_title, origin, state, reason, budget_from, budget_spent,
    lidarr_album_id, history_floor, sequence, created_at, updated_at, finished_at
FROM acquisitions
WHERE id = ANY ($1::uuid[])
ORDER BY id
FOR UPDATE;

-- name: read_acquisitions
SELECT id, album_mbid, artist_mbid, artist_name, album_title, origin, state, reason, budget_from, budget_spent,
    lidarr_album_id, history_floor, sequence, created_at, updated_at, finished_at
FROM acquisitions
WHERE id = ANY ($1::uuid[])
ORDER BY id;

-- name: attempts_of
SELECT acquisition_id, number, source, state, started_at, foreign_grab, download_id, release_title, indexer, size_bytes,
    files_arrived, grab_seen, grab_history_id, end_history_id, reason, grabbed_at, finished_at, searched_at, peer, folder,
    files, leftovers
FROM attempts
WHERE acquisition_id = ANY ($1::uuid[])
ORDER BY acquisition_id, number;

-- name: jobs_of
SELECT id, user_id, origin, album_mbid, artist_name, album_title, batch_id, acquisition_id, state, created_at, reason,
    finished_at
FROM download_jobs
WHERE acquisition_id = ANY ($1::uuid[])
ORDER BY acquisition_id, created_at, id;

-- name: lock_batches
SELECT id, user_id, label, state, version, total, completed, failed, cancelled, created_at, finished_at, sequence
FROM discovery_batches
WHERE id = ANY ($1::uuid[])
ORDER BY id
FOR UPDATE;

-- name: make_peers
-- Whichever unique index notices first that somebody else makes the same one at this moment.
INSERT INTO peers (name, id) SELECT name, id FROM unnest($1::text[], $2::uuid[]) AS p (name, id) ORDER BY name
ON CONFLICT DO NOTHING;

-- name: lock_peers
SELECT name, id, sequence
FROM peers
WHERE name = ANY ($1::text[])
ORDER BY name
FOR UPDATE;

-- name: save_acquisitions
INSERT INTO acquisitions (id, album_mbid, artist_mbid, artist_name, album_title, origin, state, reason, budget_from,
    lidarr_album_id, history_floor, sequence, created_at, updated_at, finished_at, attempt_count, budget_spent)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::integer[], $10::bigint[], $11::bigint[], $12::integer[], $13::timestamptz[], $14::timestamptz[],
    $15::timestamptz[], $16::integer[], $17::boolean[])
ON CONFLICT (id) DO UPDATE SET
    origin = excluded.origin,
    state = excluded.state,
    reason = excluded.reason,
    budget_from = excluded.budget_from,
    lidarr_album_id = excluded.lidarr_album_id,
    history_floor = excluded.history_floor,
    sequence = excluded.sequence,
    updated_at = excluded.updated_at,
    finished_at = excluded.finished_at,
    attempt_count = excluded.attempt_count,
    budget_spent = excluded.budget_spent;

-- name: save_attempts
INSERT INTO attempts (acquisition_id, number, source, state, started_at, foreign_grab, download_id, release_title,
    indexer, size_bytes, files_arrived, grab_seen, grab_history_id, end_history_id, reason, grabbed_at, finished_at,
    searched_at, peer, folder, files, leftovers)
SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::timestamptz[], $6::boolean[], $7::text[],
    $8::text[], $9::text[], $10::bigint[], $11::integer[], $12::boolean[], $13::bigint[], $14::bigint[], $15::text[],
    $16::timestamptz[], $17::timestamptz[], $18::timestamptz[], $19::text[], $20::text[], $21::jsonb[], $22::text[])
ON CONFLICT (acquisition_id, number) DO UPDATE SET
    source = excluded.source,
    state = excluded.state,
    download_id = excluded.download_id,
    release_title = excluded.release_title,
    indexer = excluded.indexer,
    size_bytes = excluded.size_bytes,
    files_arrived = excluded.files_arrived,
    grab_seen = excluded.grab_seen,
    grab_history_id = excluded.grab_history_id,
    end_history_id = excluded.end_history_id,
    reason = excluded.reason,
    grabbed_at = excluded.grabbed_at,
    finished_at = excluded.finished_at,
    searched_at = excluded.searched_at,
    peer = excluded.peer,
    folder = excluded.folder,
    files = excluded.files,
    leftovers = excluded.leftovers;

-- name: save_jobs
INSERT INTO download_jobs (id, user_id, origin, album_mbid, artist_name, album_title, batch_id, acquisition_id, state,
    created_at, reason, finished_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::uuid[], $8::uuid[],
    $9::text[], $10::timestamptz[], $11::text[], $12::timestamptz[])
ON CONFLICT (id) DO UPDATE SET
    acquisition_id = excluded.acquisition_id,
    state = excluded.state,
    reason = excluded.reason,
    finished_at = excluded.finished_at;

-- name: save_batch
-- A new batch, or the next version of one: compare-and-set on version, like every writer of batches.
INSERT INTO discovery_batches AS b (id, user_id, label, state, version, total, completed, failed, cancelled, created_at,
    finished_at, sequence)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state,
    version = excluded.version,
    total = excluded.total,
    completed = excluded.completed,
    failed = excluded.failed,
    cancelled = excluded.cancelled,
    finished_at = excluded.finished_at,
    -- A count doesn't decide: it must not put back the number of a decision made since it read the batch.
    sequence = greatest(b.sequence, excluded.sequence)
WHERE b.version = $13
RETURNING version;

-- name: save_batch_version
INSERT INTO batch_versions (batch_id, version, at, state, total, completed, failed, cancelled, cause)
VALUES ($1, $2, clock_timestamp(), $3, $4, $5, $6, $7, $8);

-- name: save_peer
UPDATE peers SET sequence = $2 WHERE name = $1;

-- name: save_decisions
-- Changes and context come as text: an array of text needs no quoting on its way, an array of jsonb does.
INSERT INTO decisions (subject_id, sequence, subject_kind, event_id, signal, decided_at, settings_version, rules_version,
    outcome, reason, before_state, after_state, changes, context)
SELECT subject_id, sequence, subject_kind, event_id, signal, decided_at, settings_version, rules_version, outcome, reason,
    before_state, after_state, changes::jsonb, context::jsonb
FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::uuid[], $5::text[], $6::timestamptz[], $7::bigint[],
    $8::integer[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
    AS made (subject_id, sequence, subject_kind, event_id, signal, decided_at, settings_version, rules_version, outcome,
        reason, before_state, after_state, changes, context);

-- name: save_commands
-- Work that reads everything there is anyway waits once: a second order only makes it due sooner. The rows come sorted by
-- key, so that two folds can't wait for each other in a circle. When they are due is a matter of our clock, which all
-- claims go by: a worker's own may be wrong.
INSERT INTO commands (id, kind, acquisition_id, attempt, coalesce_key, args, event_id, due_at, created_at)
SELECT id, kind, acquisition_id, attempt, coalesce_key, args, event_id, now() + make_interval(secs => delay_s),
    clock_timestamp()
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::integer[], $5::text[], $6::jsonb[], $7::uuid[], $8::float8[])
    AS ordered (id, kind, acquisition_id, attempt, coalesce_key, args, event_id, delay_s)
ON CONFLICT (coalesce_key) WHERE state = 'waiting' DO UPDATE SET due_at = least(commands.due_at, excluded.due_at);

-- name: cancel_commands
-- What still waits for an acquisition that is over has no purpose any more; leaving its peer ($2) has.
UPDATE commands SET state = 'cancelled', finished_at = clock_timestamp(), reason = 'acquisition is over'
WHERE acquisition_id = ANY ($1::uuid[]) AND state = 'waiting' AND kind <> ALL ($2::text[]);
