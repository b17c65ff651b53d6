-- name: bounded
-- Ahead of every read. The filters make one statement serve many questions, so its plan must know the values asked for;
-- and nobody's question may keep a connection for long. Both end with the transaction.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('statement_timeout', $1, true);

-- name: events
-- Newest first by id, which is time (UUIDv7): $8 and $9 are the bounds of since and until as ids, wide enough for clocks
-- that were wrong; received_at then decides. With a text to find ($12) only the window ($11 events) is looked through,
-- and where it ended comes back, so that the next page goes on from there.
WITH looked AS MATERIALIZED (
    SELECT e.id, e.source, e.type, e.received_at, e.dedupe_key, e.correlation_id, e.body, s.state, s.attempts, s.reason,
        s.last_error
    FROM events AS e
    JOIN event_status AS s ON s.event_id = e.id
    WHERE ($1::text IS NULL OR e.source = $1)
        AND ($2::text IS NULL OR e.type = $2)
        AND ($3::text IS NULL OR s.state = $3)
        AND ($4::timestamptz IS NULL OR e.received_at >= $4)
        AND ($5::timestamptz IS NULL OR e.received_at < $5)
        AND ($6::text IS NULL OR e.correlation_id = $6)
        AND ($7::uuid IS NULL OR e.id < $7)
        AND ($8::uuid IS NULL OR e.id >= $8)
        AND ($9::uuid IS NULL OR e.id <= $9)
    ORDER BY e.id DESC
    LIMIT $11
),
found AS (
    SELECT *
    FROM looked AS l
    WHERE $12::text IS NULL
        OR position(lower($12) IN lower(concat_ws(' ', l.id, l.source, l.type, l.correlation_id, l.dedupe_key, l.reason,
            l.last_error))) > 0
        OR position(lower(encode(convert_to($12, 'UTF8'), 'escape'))
            IN lower(encode(substring(l.body FOR 65536), 'escape'))) > 0
    ORDER BY l.id DESC
    LIMIT $10
)
SELECT w.looked_at, w.looked_to, f.id, f.source, f.type, f.state, f.dedupe_key, f.received_at, f.attempts,
    f.correlation_id, f.reason, f.last_error,
    1 + (SELECT count(*) FROM folded_deliveries AS d WHERE d.event_id = f.id) AS deliveries,
    ARRAY(
        SELECT j.id
        FROM decisions AS d
        JOIN download_jobs AS j ON j.acquisition_id = d.subject_id
        WHERE d.event_id = f.id
        ORDER BY j.id
    ) AS job_ids
FROM (SELECT count(*) AS looked_at, (SELECT id FROM looked ORDER BY id LIMIT 1) AS looked_to FROM looked) AS w
LEFT JOIN found AS f ON true
ORDER BY f.id DESC;

-- name: event
SELECT e.id, e.source, e.type, s.state, e.dedupe_key, e.received_at, s.attempts, e.correlation_id, s.reason,
    s.last_error, s.due_at, s.settled_at, coalesce(s.waits_for, '{}') AS waits_for, length(e.body) AS size_bytes,
    1 + (SELECT count(*) FROM folded_deliveries AS d WHERE d.event_id = e.id) AS deliveries,
    ARRAY(
        SELECT j.id
        FROM decisions AS d
        JOIN download_jobs AS j ON j.acquisition_id = d.subject_id
        WHERE d.event_id = e.id
        ORDER BY j.id
    ) AS job_ids
FROM events AS e
JOIN event_status AS s ON s.event_id = e.id
WHERE e.id = $1;

-- name: decisions_of
SELECT subject_kind, subject_id, sequence, decided_at, signal, outcome, reason, before_state, after_state
FROM decisions
WHERE event_id = $1
ORDER BY decided_at, subject_kind, subject_id;

-- name: body
SELECT type, body FROM events WHERE id = $1;
