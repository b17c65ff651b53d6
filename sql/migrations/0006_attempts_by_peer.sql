-- migrate: no transaction
-- What a peer on Soulseek has been asked for, found from an arriving file and counted when it failed.
CREATE INDEX CONCURRENTLY IF NOT EXISTS attempts_by_peer ON attempts (peer, finished_at) WHERE peer IS NOT NULL;
