DROP VIEW batch_progress;
DROP VIEW job_history;
DROP VIEW dead_letters;
DROP VIEW unprocessed_events;
DROP VIEW event_history;
DROP FUNCTION body_as_jsonb(bytea);
