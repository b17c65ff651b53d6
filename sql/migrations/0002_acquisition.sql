-- What people asked for and what we do about it.

CREATE TABLE discovery_batches (
    id uuid PRIMARY KEY,
    user_id text NOT NULL,
    label text,
    state text NOT NULL DEFAULT 'active',
    version bigint NOT NULL DEFAULT 1,
    total integer NOT NULL DEFAULT 0,
    completed integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    cancelled integer NOT NULL DEFAULT 0,
    sequence integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT discovery_batches_state CHECK (state IN ('active', 'completed', 'failed', 'cancelled')),
    CONSTRAINT discovery_batches_finished CHECK ((state = 'active') = (finished_at IS NULL)),
    CONSTRAINT discovery_batches_version CHECK (version >= 1),
    CONSTRAINT discovery_batches_counts CHECK (completed + failed + cancelled <= total)
);
COMMENT ON TABLE discovery_batches IS 'Albums wanted together. version counts committed updates (optimistic locking).';
CREATE INDEX discovery_batches_by_time ON discovery_batches (created_at, id);

CREATE TABLE batch_versions (
    batch_id uuid NOT NULL REFERENCES discovery_batches (id),
    version bigint NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL,
    total integer NOT NULL,
    completed integer NOT NULL,
    failed integer NOT NULL,
    cancelled integer NOT NULL,
    cause text NOT NULL,
    PRIMARY KEY (batch_id, version)
);
COMMENT ON TABLE batch_versions IS 'Every committed version of every discovery batch.';
CREATE TRIGGER batch_versions_are_append_only BEFORE UPDATE OR DELETE ON batch_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE acquisitions (
    id uuid PRIMARY KEY,
    album_mbid uuid NOT NULL,
    artist_mbid uuid,
    artist_name text NOT NULL,
    album_title text NOT NULL,
    origin text NOT NULL,
    state text NOT NULL,
    reason text,
    attempt_count integer NOT NULL DEFAULT 0,
    budget_from integer NOT NULL DEFAULT 0,
    lidarr_album_id bigint,
    history_floor bigint,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT acquisitions_origin CHECK (origin IN ('asked', 'lidarr')),
    CONSTRAINT acquisitions_state CHECK (
        state IN ('pending', 'searching', 'downloading', 'importing', 'completed', 'failed', 'cancelled')),
    CONSTRAINT acquisitions_finished CHECK ((state IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
);
COMMENT ON TABLE acquisitions IS 'The work of getting one album; all active jobs for the album share it.';
COMMENT ON COLUMN acquisitions.budget_from IS 'Attempts up to this number no longer count: a person opened it again.';
COMMENT ON COLUMN acquisitions.history_floor IS 'Rows of Lidarr''s history up to this id are from before our time.';
COMMENT ON COLUMN acquisitions.sequence IS 'The number of its latest decision.';
-- This index is the deduplication: one active acquisition an album, whoever asks.
CREATE UNIQUE INDEX acquisitions_one_active_per_album ON acquisitions (album_mbid)
    WHERE state NOT IN ('completed', 'failed', 'cancelled');
CREATE INDEX acquisitions_by_album ON acquisitions (album_mbid, created_at);

CREATE TABLE attempts (
    acquisition_id uuid NOT NULL REFERENCES acquisitions (id),
    number integer NOT NULL,
    source text NOT NULL,
    state text NOT NULL,
    foreign_grab boolean NOT NULL DEFAULT false,
    download_id text,
    release_title text,
    indexer text,
    size_bytes bigint,
    files_arrived integer NOT NULL DEFAULT 0,
    grab_seen boolean NOT NULL DEFAULT false,
    grab_history_id bigint,
    end_history_id bigint,
    reason text,
    started_at timestamptz NOT NULL,
    grabbed_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (acquisition_id, number),
    CONSTRAINT attempts_source CHECK (source IN ('lidarr', 'soulseek')),
    CONSTRAINT attempts_state CHECK (
        state IN ('searching', 'downloading', 'importing', 'completed', 'failed', 'abandoned')),
    CONSTRAINT attempts_finished CHECK ((state IN ('completed', 'failed', 'abandoned')) = (finished_at IS NOT NULL))
);
COMMENT ON TABLE attempts IS 'Each try of an acquisition at one candidate of one source, numbered from 1.';
COMMENT ON COLUMN attempts.foreign_grab IS 'Grabbed by the peer on its own while another attempt was under way.';
COMMENT ON COLUMN attempts.grab_seen IS 'The Grab webhook of this attempt has been received.';
COMMENT ON COLUMN attempts.grab_history_id IS 'Lidarr''s history row of the grab: tells two grabs of one hash apart.';
COMMENT ON COLUMN attempts.end_history_id IS 'Lidarr''s history row that ended the attempt.';
-- Peers write one id in several cases: compared without it, of ASCII letters alone on every server.
CREATE INDEX attempts_by_download ON attempts (lower(download_id COLLATE "C")) WHERE download_id IS NOT NULL;

CREATE TABLE download_jobs (
    id uuid PRIMARY KEY,
    user_id text NOT NULL,
    origin text NOT NULL,
    album_mbid uuid NOT NULL,
    artist_name text NOT NULL,
    album_title text NOT NULL,
    batch_id uuid REFERENCES discovery_batches (id),
    acquisition_id uuid NOT NULL REFERENCES acquisitions (id),
    state text NOT NULL,
    reason text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT download_jobs_user CHECK (char_length(user_id) BETWEEN 1 AND 200),
    CONSTRAINT download_jobs_origin CHECK (origin IN ('api', 'batch', 'wanted', 'lidarr')),
    CONSTRAINT download_jobs_state CHECK (
        state IN ('pending', 'searching', 'downloading', 'importing', 'completed', 'failed', 'cancelled')),
    CONSTRAINT download_jobs_finished CHECK (
        (state IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
);
COMMENT ON TABLE download_jobs IS 'What somebody asked for: one user, one album, maybe one batch.';
-- NULLS NOT DISTINCT: two jobs without a batch are the same request, too.
CREATE UNIQUE INDEX download_jobs_one_active ON download_jobs (user_id, album_mbid, batch_id) NULLS NOT DISTINCT
    WHERE state NOT IN ('completed', 'failed', 'cancelled');
CREATE INDEX download_jobs_by_time ON download_jobs (created_at, id);
CREATE INDEX download_jobs_by_acquisition ON download_jobs (acquisition_id);
CREATE INDEX download_jobs_by_batch ON download_jobs (batch_id) WHERE batch_id IS NOT NULL;

-- The record of every fold: what was decided, about what, because of which event, in which order.
CREATE TABLE decisions (
    subject_id uuid NOT NULL,
    sequence integer NOT NULL,
    subject_kind text NOT NULL,
    event_id uuid NOT NULL,
    signal text NOT NULL,
    decided_at timestamptz NOT NULL,
    settings_version bigint NOT NULL,
    rules_version integer NOT NULL,
    outcome text NOT NULL,
    reason text,
    before_state text,
    after_state text,
    changes jsonb NOT NULL,
    context jsonb NOT NULL,
    PRIMARY KEY (subject_id, sequence),
    CONSTRAINT decisions_kind CHECK (subject_kind IN ('acquisition', 'batch', 'peer')),
    CONSTRAINT decisions_outcome CHECK (outcome IN ('applied', 'ignored'))
);
COMMENT ON TABLE decisions IS 'Append-only record of every fold; the log folded again in this order gives the same state.';
COMMENT ON COLUMN decisions.context IS 'The settings and the configuration that the rules saw.';
-- One event decides once about one subject: this index is what makes a second fold of it impossible.
CREATE UNIQUE INDEX decisions_once ON decisions (event_id, subject_id);
CREATE TRIGGER decisions_are_append_only BEFORE UPDATE OR DELETE ON decisions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE peers (
    name text PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    sequence integer NOT NULL DEFAULT 0,
    observed_until timestamptz,
    history_id bigint,
    observed_at timestamptz
);
COMMENT ON TABLE peers IS 'What we remember of Lidarr and slskd: how far their history has been read.';
