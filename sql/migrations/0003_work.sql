-- What is to be done (the outbox), and the small things that the fleet shares.

CREATE TABLE commands (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    acquisition_id uuid REFERENCES acquisitions (id),
    attempt integer,
    coalesce_key text,
    args jsonb NOT NULL,
    event_id uuid,
    state text NOT NULL DEFAULT 'waiting',
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    reason text,
    last_error text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT commands_state CHECK (state IN ('waiting', 'running', 'done', 'dead', 'cancelled')),
    CONSTRAINT commands_lease CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CONSTRAINT commands_finished CHECK ((state IN ('done', 'dead', 'cancelled')) = (finished_at IS NOT NULL))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE commands IS 'Intended side effects. fence counts claims: a worker whose lease ended cannot settle.';
COMMENT ON COLUMN commands.event_id IS 'The event that ordered it; NULL where the clock did.';
CREATE INDEX commands_due ON commands (due_at, id) WHERE state = 'waiting';
CREATE INDEX commands_leased ON commands (lease_until) WHERE state = 'running';
CREATE INDEX commands_by_acquisition ON commands (acquisition_id, created_at);
CREATE UNIQUE INDEX commands_one_running_per_acquisition ON commands (acquisition_id) WHERE state = 'running';
CREATE UNIQUE INDEX commands_one_waiting_per_key ON commands (coalesce_key) WHERE state = 'waiting';

-- Exclusion when Redis is away.
CREATE TABLE locks (
    name text PRIMARY KEY,
    token uuid NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE locks IS 'Locks held here while Redis is away. They save work and guarantee nothing.';

CREATE TABLE settings (
    name text PRIMARY KEY,
    value jsonb NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);
COMMENT ON TABLE settings IS 'Runtime settings that a person has set; the rest have their defaults.';
CREATE TABLE settings_version (
    one boolean PRIMARY KEY DEFAULT true,
    version bigint NOT NULL DEFAULT 1,
    CONSTRAINT settings_version_single CHECK (one)
);
COMMENT ON TABLE settings_version IS 'Counts changes of settings; every process polls it.';
INSERT INTO settings_version DEFAULT VALUES;

-- Long work that a person started and can watch or cancel.
CREATE TABLE operations (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    args jsonb NOT NULL,
    state text NOT NULL DEFAULT 'running',
    total bigint NOT NULL,
    done bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT operations_state CHECK (state IN ('running', 'done', 'cancelled')),
    CONSTRAINT operations_finished CHECK ((state = 'running') = (finished_at IS NULL))
);
COMMENT ON TABLE operations IS 'Tracked, cancellable work on many rows, e.g. a retry of many events.';
