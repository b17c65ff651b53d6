DROP INDEX IF EXISTS attempts_by_peer;
