-- Getting albums from Soulseek: what an attempt there is made of, and what keeps the whole fleet within bounds.

ALTER TABLE attempts
    ADD COLUMN searched_at timestamptz,
    ADD COLUMN peer text,
    ADD COLUMN folder text,
    ADD COLUMN files jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN leftovers text CONSTRAINT attempts_leftovers CHECK (leftovers IN ('removed', 'not_allowed', 'gone'));
COMMENT ON COLUMN attempts.searched_at IS 'When its search began; NULL while it waits for its turn.';
COMMENT ON COLUMN attempts.peer IS 'Soulseek: who shares the candidate; folder is theirs, too.';
COMMENT ON COLUMN attempts.files IS 'Soulseek: the wanted files; local is where one that arrived lies.';
COMMENT ON COLUMN attempts.leftovers IS 'Soulseek: what became of the files of an attempt that failed.';

ALTER TABLE acquisitions ADD COLUMN budget_spent boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN acquisitions.budget_spent IS 'Ended because the album''s budget was used up: only a person opens it again.';

ALTER TABLE peers
    ADD COLUMN silent boolean NOT NULL DEFAULT false,
    ADD COLUMN wanted_at timestamptz;
COMMENT ON COLUMN peers.silent IS 'Its history moves, but its webhooks don''t arrive.';
COMMENT ON COLUMN peers.wanted_at IS 'When the clock last asked for what it misses.';

-- Soulseek's server bans who searches too much, for the fleet as a whole: one budget, kept where a Redis wipe can't reach.
CREATE TABLE soulseek_searches (
    id uuid PRIMARY KEY,
    text_key text NOT NULL,
    acquisition_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz
);
COMMENT ON TABLE soulseek_searches IS 'Searches that the fleet has begun at slskd: their number, and how many at once, is bounded.';
COMMENT ON COLUMN soulseek_searches.text_key IS 'The text, folded: the same one is not searched again so soon.';
CREATE INDEX soulseek_searches_by_time ON soulseek_searches (started_at);
CREATE INDEX soulseek_searches_by_text ON soulseek_searches (text_key, started_at);

-- How many albums are being got at once. A row counts only while its acquisition has an open attempt.
CREATE TABLE download_slots (
    acquisition_id uuid PRIMARY KEY,
    taken_at timestamptz NOT NULL
);
COMMENT ON TABLE download_slots IS 'Acquisitions that are searched or downloaded; setting max_in_flight bounds their number.';

-- How long each open attempt has been in its phase, counting only time in which we ran and its peer answered.
CREATE TABLE watches (
    acquisition_id uuid NOT NULL,
    attempt integer NOT NULL,
    phase text NOT NULL,
    phase_s double precision NOT NULL,
    total_s double precision NOT NULL,
    mark bigint NOT NULL,
    absent integer NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (acquisition_id, attempt)
);
COMMENT ON TABLE watches IS 'Time on the clock of each deadline. mark is what counts as progress (bytes); attempt 0: pending.';

-- What is not tried again: each failed download of an album, with who offered it.
CREATE VIEW blocklist AS
SELECT a.album_mbid, a.artist_name, a.album_title, t.source, t.peer, t.folder, t.release_title, t.indexer, t.reason,
    t.finished_at AS blocked_at, t.acquisition_id, t.number AS attempt
FROM attempts AS t
JOIN acquisitions AS a ON a.id = t.acquisition_id
WHERE t.state = 'failed' AND t.download_id IS NOT NULL;
COMMENT ON VIEW blocklist IS 'Downloads that failed: the same folder of the same peer is never tried again for the album.';

-- What failed downloads left in slskd's folder and nobody has removed.
CREATE VIEW leftovers AS
SELECT t.acquisition_id, t.number AS attempt, a.artist_name, a.album_title, t.peer, t.folder, t.leftovers AS outcome,
    t.finished_at, count(*) AS files, sum((f.file ->> 'size_bytes')::bigint) AS size_bytes,
    array_agg(f.file ->> 'local' ORDER BY f.file ->> 'local') AS paths
FROM attempts AS t
JOIN acquisitions AS a ON a.id = t.acquisition_id
CROSS JOIN LATERAL jsonb_array_elements(t.files) AS f (file)
WHERE t.state IN ('failed', 'abandoned') AND f.file ? 'local' AND t.leftovers IS DISTINCT FROM 'removed'
    AND t.leftovers IS DISTINCT FROM 'gone'
GROUP BY t.acquisition_id, t.number, a.artist_name, a.album_title;
COMMENT ON VIEW leftovers IS 'Files that failed downloads from Soulseek left behind, with their size.';
