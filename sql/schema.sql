-- The whole schema after the newest migration, for reading: made by `make schema` from migrations/.

CREATE OR REPLACE FUNCTION refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$function$;

CREATE OR REPLACE FUNCTION body_as_jsonb(body bytea)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
BEGIN
    RETURN convert_from(body, 'UTF8')::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
    RETURN NULL;
END
$function$;

CREATE TABLE events (
    id uuid NOT NULL,
    source text NOT NULL,
    type text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    dedupe_key text,
    correlation_id text,
    body bytea NOT NULL
);

CREATE TABLE event_keys (
    source text NOT NULL,
    key text NOT NULL,
    event_id uuid NOT NULL
);

CREATE TABLE folded_deliveries (
    id uuid NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone NOT NULL,
    body bytea NOT NULL
);

CREATE TABLE event_status (
    event_id uuid NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    alone boolean DEFAULT false NOT NULL,
    waits_for text[],
    reason text,
    last_error text,
    settled_at timestamp with time zone
) WITH (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=2000, fillfactor=80);

CREATE TABLE fold_runs (
    id uuid NOT NULL,
    event_ids uuid[] NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE discovery_batches (
    id uuid NOT NULL,
    user_id text NOT NULL,
    label text,
    state text DEFAULT 'active'::text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    total integer DEFAULT 0 NOT NULL,
    completed integer DEFAULT 0 NOT NULL,
    failed integer DEFAULT 0 NOT NULL,
    cancelled integer DEFAULT 0 NOT NULL,
    sequence integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone
);

CREATE TABLE batch_versions (
    batch_id uuid NOT NULL,
    version bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    state text NOT NULL,
    total integer NOT NULL,
    completed integer NOT NULL,
    failed integer NOT NULL,
    cancelled integer NOT NULL,
    cause text NOT NULL
);

CREATE TABLE acquisitions (
    id uuid NOT NULL,
    album_mbid uuid NOT NULL,
    artist_mbid uuid,
    artist_name text NOT NULL,
    album_title text NOT NULL,
    origin text NOT NULL,
    state text NOT NULL,
    reason text,
    attempt_count integer DEFAULT 0 NOT NULL,
    budget_from integer DEFAULT 0 NOT NULL,
    lidarr_album_id bigint,
    history_floor bigint,
    sequence integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    budget_spent boolean DEFAULT false NOT NULL
);

CREATE TABLE attempts (
    acquisition_id uuid NOT NULL,
    number integer NOT NULL,
    source text NOT NULL,
    state text NOT NULL,
    foreign_grab boolean DEFAULT false NOT NULL,
    download_id text,
    release_title text,
    indexer text,
    size_bytes bigint,
    files_arrived integer DEFAULT 0 NOT NULL,
    grab_seen boolean DEFAULT false NOT NULL,
    grab_history_id bigint,
    end_history_id bigint,
    reason text,
    started_at timestamp with time zone NOT NULL,
    grabbed_at timestamp with time zone,
    finished_at timestamp with time zone,
    searched_at timestamp with time zone,
    peer text,
    folder text,
    files jsonb DEFAULT '[]'::jsonb NOT NULL,
    leftovers text
);

CREATE TABLE download_jobs (
    id uuid NOT NULL,
    user_id text NOT NULL,
    origin text NOT NULL,
    album_mbid uuid NOT NULL,
    artist_name text NOT NULL,
    album_title text NOT NULL,
    batch_id uuid,
    acquisition_id uuid NOT NULL,
    state text NOT NULL,
    reason text,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone
);

CREATE TABLE decisions (
    subject_id uuid NOT NULL,
    sequence integer NOT NULL,
    subject_kind text NOT NULL,
    event_id uuid NOT NULL,
    signal text NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    settings_version bigint NOT NULL,
    rules_version integer NOT NULL,
    outcome text NOT NULL,
    reason text,
    before_state text,
    after_state text,
    changes jsonb NOT NULL,
    context jsonb NOT NULL
);

CREATE TABLE peers (
    name text NOT NULL,
    id uuid NOT NULL,
    sequence integer DEFAULT 0 NOT NULL,
    observed_until timestamp with time zone,
    history_id bigint,
    observed_at timestamp with time zone,
    silent boolean DEFAULT false NOT NULL,
    wanted_at timestamp with time zone
);

CREATE TABLE commands (
    id uuid NOT NULL,
    kind text NOT NULL,
    acquisition_id uuid,
    attempt integer,
    coalesce_key text,
    args jsonb NOT NULL,
    event_id uuid,
    state text DEFAULT 'waiting'::text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    lease_until timestamp with time zone,
    reason text,
    last_error text,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone
) WITH (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=1000, fillfactor=80);

CREATE TABLE locks (
    name text NOT NULL,
    token uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE settings (
    name text NOT NULL,
    value jsonb NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    changed_by text NOT NULL
);

CREATE TABLE settings_version (
    one boolean DEFAULT true NOT NULL,
    version bigint DEFAULT 1 NOT NULL
);

CREATE TABLE operations (
    id uuid NOT NULL,
    kind text NOT NULL,
    args jsonb NOT NULL,
    state text DEFAULT 'running'::text NOT NULL,
    total bigint NOT NULL,
    done bigint DEFAULT 0 NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone
);

CREATE TABLE soulseek_searches (
    id uuid NOT NULL,
    text_key text NOT NULL,
    acquisition_id uuid NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);

CREATE TABLE download_slots (
    acquisition_id uuid NOT NULL,
    taken_at timestamp with time zone NOT NULL
);

CREATE TABLE watches (
    acquisition_id uuid NOT NULL,
    attempt integer NOT NULL,
    phase text NOT NULL,
    phase_s double precision NOT NULL,
    total_s double precision NOT NULL,
    mark bigint NOT NULL,
    absent integer NOT NULL,
    seen_at timestamp with time zone NOT NULL
);

ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY (id);

ALTER TABLE event_keys ADD CONSTRAINT event_keys_pkey PRIMARY KEY (source, key);

ALTER TABLE folded_deliveries ADD CONSTRAINT folded_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE event_status ADD CONSTRAINT event_status_state CHECK (state = ANY (ARRAY['waiting'::text, 'parked'::text, 'processed'::text, 'ignored'::text, 'dead'::text]));

ALTER TABLE event_status ADD CONSTRAINT event_status_settled CHECK ((state = ANY (ARRAY['processed'::text, 'ignored'::text, 'dead'::text])) = (settled_at IS NOT NULL));

ALTER TABLE event_status ADD CONSTRAINT event_status_parked CHECK ((state = 'parked'::text) = (waits_for IS NOT NULL));

ALTER TABLE event_status ADD CONSTRAINT event_status_pkey PRIMARY KEY (event_id);

ALTER TABLE fold_runs ADD CONSTRAINT fold_runs_pkey PRIMARY KEY (id);

ALTER TABLE discovery_batches ADD CONSTRAINT discovery_batches_state CHECK (state = ANY (ARRAY['active'::text, 'completed'::text, 'failed'::text, 'cancelled'::text]));

ALTER TABLE discovery_batches ADD CONSTRAINT discovery_batches_finished CHECK ((state = 'active'::text) = (finished_at IS NULL));

ALTER TABLE discovery_batches ADD CONSTRAINT discovery_batches_version CHECK (version >= 1);

ALTER TABLE discovery_batches ADD CONSTRAINT discovery_batches_counts CHECK ((completed + failed + cancelled) <= total);

ALTER TABLE discovery_batches ADD CONSTRAINT discovery_batches_pkey PRIMARY KEY (id);

ALTER TABLE batch_versions ADD CONSTRAINT batch_versions_pkey PRIMARY KEY (batch_id, version);

ALTER TABLE acquisitions ADD CONSTRAINT acquisitions_origin CHECK (origin = ANY (ARRAY['asked'::text, 'lidarr'::text]));

ALTER TABLE acquisitions ADD CONSTRAINT acquisitions_state CHECK (state = ANY (ARRAY['pending'::text, 'searching'::text, 'downloading'::text, 'importing'::text, 'completed'::text, 'failed'::text, 'cancelled'::text]));

ALTER TABLE acquisitions ADD CONSTRAINT acquisitions_finished CHECK ((state = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text])) = (finished_at IS NOT NULL));

ALTER TABLE acquisitions ADD CONSTRAINT acquisitions_pkey PRIMARY KEY (id);

ALTER TABLE attempts ADD CONSTRAINT attempts_source CHECK (source = ANY (ARRAY['lidarr'::text, 'soulseek'::text]));

ALTER TABLE attempts ADD CONSTRAINT attempts_state CHECK (state = ANY (ARRAY['searching'::text, 'downloading'::text, 'importing'::text, 'completed'::text, 'failed'::text, 'abandoned'::text]));

ALTER TABLE attempts ADD CONSTRAINT attempts_finished CHECK ((state = ANY (ARRAY['completed'::text, 'failed'::text, 'abandoned'::text])) = (finished_at IS NOT NULL));

ALTER TABLE attempts ADD CONSTRAINT attempts_pkey PRIMARY KEY (acquisition_id, number);

ALTER TABLE download_jobs ADD CONSTRAINT download_jobs_user CHECK (char_length(user_id) >= 1 AND char_length(user_id) <= 200);

ALTER TABLE download_jobs ADD CONSTRAINT download_jobs_origin CHECK (origin = ANY (ARRAY['api'::text, 'batch'::text, 'wanted'::text, 'lidarr'::text]));

ALTER TABLE download_jobs ADD CONSTRAINT download_jobs_state CHECK (state = ANY (ARRAY['pending'::text, 'searching'::text, 'downloading'::text, 'importing'::text, 'completed'::text, 'failed'::text, 'cancelled'::text]));

ALTER TABLE download_jobs ADD CONSTRAINT download_jobs_finished CHECK ((state = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text])) = (finished_at IS NOT NULL));

ALTER TABLE download_jobs ADD CONSTRAINT download_jobs_pkey PRIMARY KEY (id);

ALTER TABLE decisions ADD CONSTRAINT decisions_kind CHECK (subject_kind = ANY (ARRAY['acquisition'::text, 'batch'::text, 'peer'::text]));

ALTER TABLE decisions ADD CONSTRAINT decisions_outcome CHECK (outcome = ANY (ARRAY['applied'::text, 'ignored'::text]));

ALTER TABLE decisions ADD CONSTRAINT decisions_pkey PRIMARY KEY (subject_id, sequence);

ALTER TABLE peers ADD CONSTRAINT peers_pkey PRIMARY KEY (name);

ALTER TABLE peers ADD CONSTRAINT peers_id_key UNIQUE (id);

ALTER TABLE commands ADD CONSTRAINT commands_state CHECK (state = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text, 'dead'::text, 'cancelled'::text]));

ALTER TABLE commands ADD CONSTRAINT commands_lease CHECK ((state = 'running'::text) = (lease_until IS NOT NULL));

ALTER TABLE commands ADD CONSTRAINT commands_finished CHECK ((state = ANY (ARRAY['done'::text, 'dead'::text, 'cancelled'::text])) = (finished_at IS NOT NULL));

ALTER TABLE commands ADD CONSTRAINT commands_pkey PRIMARY KEY (id);

ALTER TABLE locks ADD CONSTRAINT locks_pkey PRIMARY KEY (name);

ALTER TABLE settings ADD CONSTRAINT settings_pkey PRIMARY KEY (name);

ALTER TABLE settings_version ADD CONSTRAINT settings_version_single CHECK (one);

ALTER TABLE settings_version ADD CONSTRAINT settings_version_pkey PRIMARY KEY (one);

ALTER TABLE operations ADD CONSTRAINT operations_state CHECK (state = ANY (ARRAY['running'::text, 'done'::text, 'cancelled'::text]));

ALTER TABLE operations ADD CONSTRAINT operations_finished CHECK ((state = 'running'::text) = (finished_at IS NULL));

ALTER TABLE operations ADD CONSTRAINT operations_pkey PRIMARY KEY (id);

ALTER TABLE attempts ADD CONSTRAINT attempts_leftovers CHECK (leftovers = ANY (ARRAY['removed'::text, 'not_allowed'::text, 'gone'::text]));

ALTER TABLE soulseek_searches ADD CONSTRAINT soulseek_searches_pkey PRIMARY KEY (id);

ALTER TABLE download_slots ADD CONSTRAINT download_slots_pkey PRIMARY KEY (acquisition_id);

ALTER TABLE watches ADD CONSTRAINT watches_pkey PRIMARY KEY (acquisition_id, attempt);

ALTER TABLE batch_versions ADD CONSTRAINT batch_versions_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES discovery_batches(id);

ALTER TABLE attempts ADD CONSTRAINT attempts_acquisition_id_fkey FOREIGN KEY (acquisition_id) REFERENCES acquisitions(id);

ALTER TABLE download_jobs ADD CONSTRAINT download_jobs_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES discovery_batches(id);

ALTER TABLE download_jobs ADD CONSTRAINT download_jobs_acquisition_id_fkey FOREIGN KEY (acquisition_id) REFERENCES acquisitions(id);

ALTER TABLE commands ADD CONSTRAINT commands_acquisition_id_fkey FOREIGN KEY (acquisition_id) REFERENCES acquisitions(id);

CREATE INDEX events_by_source_and_type ON events USING btree (source, type, id);

CREATE INDEX events_by_correlation ON events USING btree (correlation_id, id) WHERE correlation_id IS NOT NULL;

CREATE INDEX folded_deliveries_by_event ON folded_deliveries USING btree (event_id);

CREATE INDEX event_status_due ON event_status USING btree (due_at, event_id) WHERE state = 'waiting'::text;

CREATE INDEX event_status_parked_for ON event_status USING gin (waits_for) WHERE state = 'parked'::text;

CREATE INDEX event_status_open ON event_status USING btree (state, event_id) WHERE state = ANY (ARRAY['parked'::text, 'dead'::text]);

CREATE INDEX discovery_batches_by_time ON discovery_batches USING btree (created_at, id);

CREATE UNIQUE INDEX acquisitions_one_active_per_album ON acquisitions USING btree (album_mbid) WHERE state <> ALL (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text]);

CREATE INDEX acquisitions_by_album ON acquisitions USING btree (album_mbid, created_at);

CREATE INDEX attempts_by_download ON attempts USING btree (lower(download_id COLLATE "C")) WHERE download_id IS NOT NULL;

CREATE UNIQUE INDEX download_jobs_one_active ON download_jobs USING btree (user_id, album_mbid, batch_id) NULLS NOT DISTINCT WHERE state <> ALL (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text]);

CREATE INDEX download_jobs_by_time ON download_jobs USING btree (created_at, id);

CREATE INDEX download_jobs_by_acquisition ON download_jobs USING btree (acquisition_id);

CREATE INDEX download_jobs_by_batch ON download_jobs USING btree (batch_id) WHERE batch_id IS NOT NULL;

CREATE UNIQUE INDEX decisions_once ON decisions USING btree (event_id, subject_id);

CREATE INDEX commands_due ON commands USING btree (due_at, id) WHERE state = 'waiting'::text;

CREATE INDEX commands_leased ON commands USING btree (lease_until) WHERE state = 'running'::text;

CREATE INDEX commands_by_acquisition ON commands USING btree (acquisition_id, created_at);

CREATE UNIQUE INDEX commands_one_running_per_acquisition ON commands USING btree (acquisition_id) WHERE state = 'running'::text;

CREATE UNIQUE INDEX commands_one_waiting_per_key ON commands USING btree (coalesce_key) WHERE state = 'waiting'::text;

CREATE INDEX soulseek_searches_by_time ON soulseek_searches USING btree (started_at);

CREATE INDEX soulseek_searches_by_text ON soulseek_searches USING btree (text_key, started_at);

CREATE INDEX attempts_by_peer ON attempts USING btree (peer, finished_at) WHERE peer IS NOT NULL;

CREATE VIEW event_history AS  SELECT e.id,
    e.source,
    e.type,
    s.state,
    e.dedupe_key,
    1 + (( SELECT count(*) AS count
           FROM folded_deliveries f
          WHERE f.event_id = e.id)) AS deliveries,
    e.received_at,
    s.attempts,
    e.correlation_id,
    s.reason,
    s.last_error,
    s.due_at,
    s.settled_at,
    body_as_jsonb(e.body) AS payload,
    e.body
   FROM events e
     LEFT JOIN event_status s ON s.event_id = e.id;

CREATE VIEW unprocessed_events AS  SELECT e.id,
    e.source,
    e.type,
    s.state,
    e.received_at,
    s.attempts,
    s.due_at,
    e.correlation_id,
    s.waits_for,
    s.last_error,
    now() - e.received_at AS age
   FROM event_status s
     JOIN events e ON e.id = s.event_id
  WHERE s.state = ANY (ARRAY['waiting'::text, 'parked'::text]);

CREATE VIEW dead_letters AS  SELECT e.id,
    e.source,
    e.type,
    e.received_at,
    s.attempts,
    e.correlation_id,
    s.reason,
    s.last_error,
    s.settled_at
   FROM event_status s
     JOIN events e ON e.id = s.event_id
  WHERE s.state = 'dead'::text;

CREATE VIEW job_history AS  SELECT j.id AS job_id,
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
   FROM download_jobs j
     JOIN decisions d ON d.subject_id = j.acquisition_id
     LEFT JOIN events e ON e.id = d.event_id;

CREATE VIEW batch_progress AS  SELECT id,
    user_id,
    label,
    state,
    version,
    total,
    completed,
    failed,
    cancelled,
    total - completed - failed - cancelled AS open,
    created_at,
    finished_at
   FROM discovery_batches b;

CREATE VIEW blocklist AS  SELECT a.album_mbid,
    a.artist_name,
    a.album_title,
    t.source,
    t.peer,
    t.folder,
    t.release_title,
    t.indexer,
    t.reason,
    t.finished_at AS blocked_at,
    t.acquisition_id,
    t.number AS attempt
   FROM attempts t
     JOIN acquisitions a ON a.id = t.acquisition_id
  WHERE t.state = 'failed'::text AND t.download_id IS NOT NULL;

CREATE VIEW leftovers AS  SELECT t.acquisition_id,
    t.number AS attempt,
    a.artist_name,
    a.album_title,
    t.peer,
    t.folder,
    t.leftovers AS outcome,
    t.finished_at,
    count(*) AS files,
    sum((f.file ->> 'size_bytes'::text)::bigint) AS size_bytes,
    array_agg(f.file ->> 'local'::text ORDER BY (f.file ->> 'local'::text)) AS paths
   FROM attempts t
     JOIN acquisitions a ON a.id = t.acquisition_id
     CROSS JOIN LATERAL jsonb_array_elements(t.files) f(file)
  WHERE (t.state = ANY (ARRAY['failed'::text, 'abandoned'::text])) AND f.file ? 'local'::text AND t.leftovers IS DISTINCT FROM 'removed'::text AND t.leftovers IS DISTINCT FROM 'gone'::text
  GROUP BY t.acquisition_id, t.number, a.artist_name, a.album_title;

CREATE TRIGGER events_are_append_only BEFORE DELETE OR UPDATE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER events_are_not_truncated BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER batch_versions_are_append_only BEFORE DELETE OR UPDATE ON batch_versions FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER decisions_are_append_only BEFORE DELETE OR UPDATE ON decisions FOR EACH ROW EXECUTE FUNCTION refuse_change();
