-- name: decisions
-- Every decision about acquisitions, subject by subject and in the order they were made. Read by a cursor.
SELECT d.subject_id, d.sequence, d.event_id, d.signal, d.decided_at, d.settings_version, d.rules_version, d.outcome,
    d.reason, d.changes, d.context
FROM decisions AS d
WHERE d.subject_kind = 'acquisition'
ORDER BY d.subject_id, d.sequence;

-- name: unexplained
-- What no decision accounts for.
SELECT id FROM acquisitions AS a
WHERE NOT EXISTS (SELECT 1 FROM decisions AS d WHERE d.subject_id = a.id AND d.subject_kind = 'acquisition');

-- name: gaps
SELECT subject_id FROM decisions GROUP BY subject_id HAVING max(sequence) <> count(*);

-- name: miscounted
-- A batch that no roll-up waits for must have exactly the counters that its jobs give; an album counts as in count_jobs.
SELECT b.id
FROM discovery_batches AS b
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'completed') AS completed,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        count(*) FILTER (WHERE state = 'cancelled') AS cancelled
    FROM (
        SELECT DISTINCT ON (album_mbid) state
        FROM download_jobs
        WHERE batch_id = b.id
        ORDER BY album_mbid, (finished_at IS NULL) DESC, (state = 'completed') DESC, finished_at DESC, id) AS albums
    ) AS c ON true
WHERE (b.completed, b.failed, b.cancelled) <> (c.completed, c.failed, c.cancelled)
    AND NOT EXISTS (
        SELECT 1 FROM commands AS w
        WHERE w.coalesce_key = 'batch:' || b.id::text AND w.state IN ('waiting', 'running'));

-- name: skipped_versions
-- A batch that was adopted begins with the version it had where it came from.
SELECT b.id
FROM discovery_batches AS b
LEFT JOIN batch_versions AS v ON v.batch_id = b.id
GROUP BY b.id, b.version
HAVING count(v.version) <> b.version + 1 - coalesce(min(v.version) FILTER (WHERE v.cause = 'adopted'), 1)
    OR max(v.version) <> b.version;
