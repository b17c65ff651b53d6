-- The SQL face: people query history here. Columns bear the API's names.

-- jsonb refuses some bodies that are worth keeping (\u0000, numbers beyond numeric, invalid UTF-8): NULL then.
-- PARALLEL UNSAFE, because up to PostgreSQL 16 a parallel plan refuses the subtransaction that catches the error.
CREATE FUNCTION body_as_jsonb(body bytea) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL UNSAFE AS $$
BEGIN
    RETURN convert_from(body, 'UTF8')::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
    RETURN NULL;
END
$$;

CREATE VIEW event_history AS
SELECT e.id,
    e.source,
    e.type,
    s.state,
    e.dedupe_key,
    1 + (SELECT count(*) FROM folded_deliveries AS f WHERE f.event_id = e.id) AS deliveries,
    e.received_at,
    s.attempts,
    e.correlation_id,
    s.reason,
    s.last_error,
    s.due_at,
    s.settled_at,
    body_as_jsonb(e.body) AS payload,
    e.body
FROM events AS e
LEFT JOIN event_status AS s ON s.event_id = e.id;
COMMENT ON VIEW event_history IS 'Every event with its state; payload is NULL where the bytes are no JSON that jsonb takes.';

CREATE VIEW unprocessed_events AS
SELECT e.id, e.source, e.type, s.state, e.received_at, s.attempts, s.due_at, e.correlation_id, s.waits_for, s.last_error,
    now() - e.received_at AS age
FROM event_status AS s
JOIN events AS e ON e.id = s.event_id
WHERE s.state IN ('waiting', 'parked');
COMMENT ON VIEW unprocessed_events IS 'Events that wait for a worker, or (parked) for what they belong to.';

CREATE VIEW dead_letters AS
SELECT e.id, e.source, e.type, e.received_at, s.attempts, e.correlation_id, s.reason, s.last_error, s.settled_at
FROM event_status AS s
JOIN events AS e ON e.id = s.event_id
WHERE s.state = 'dead';
COMMENT ON VIEW dead_letters IS 'Events that wait for a person; reason and last_error say why.';

CREATE VIEW job_history AS
SELECT j.id AS job_id,
    j.user_id,
    j.album_mbid,
    j.artist_name,
    j.album_title,
    j.batch_id,
    j.acquisition_id,
    j.state,
    d.sequence,
    d.decided_at,
    d.signal,
    d.outcome,
    d.before_state,
    d.after_state,
    d.reason,
    d.event_id,
    e.source AS event_source,
    e.type AS event_type,
    e.received_at AS event_received_at
FROM download_jobs AS j
JOIN decisions AS d ON d.subject_id = j.acquisition_id
LEFT JOIN events AS e ON e.id = d.event_id;
COMMENT ON VIEW job_history IS 'Every decision about the album of a job, with the event that caused it.';

CREATE VIEW batch_progress AS
SELECT b.id,
    b.user_id,
    b.label,
    b.state,
    b.version,
    b.total,
    b.completed,
    b.failed,
    b.cancelled,
    b.total - b.completed - b.failed - b.cancelled AS open,
    b.created_at,
    b.finished_at
FROM discovery_batches AS b;
COMMENT ON VIEW batch_progress IS 'Discovery batches with their counters and version.';
