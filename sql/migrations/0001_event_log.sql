-- The event log: what happened, kept for ever and exactly. Nothing holds a foreign key to it, so that
-- old history can be partitioned (ids are UUIDv7, so ranges of ids are ranges of time) and archived later.

CREATE TABLE events (
    id uuid PRIMARY KEY,
    source text NOT NULL,
    type text NOT NULL,
    received_at timestamptz NOT NULL,
    dedupe_key text,
    correlation_id text,
    body bytea NOT NULL
);
COMMENT ON TABLE events IS 'Immutable facts, appended and never changed. body holds the exact bytes that came.';
COMMENT ON COLUMN events.id IS 'UUIDv7 minted when the delivery arrived; sorts by time.';
COMMENT ON COLUMN events.dedupe_key IS 'Only where the type has a natural key; NULL means: never folded by content.';
COMMENT ON COLUMN events.correlation_id IS 'The peer''s own id for the download this belongs to, or our acquisition''s id.';

CREATE INDEX events_by_source_and_type ON events (source, type, id);
CREATE INDEX events_by_correlation ON events (correlation_id, id) WHERE correlation_id IS NOT NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_are_not_truncated BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Which event first bore a natural key. The primary key is what folds a repeated delivery.
CREATE TABLE event_keys (
    source text NOT NULL,
    key text NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (source, key)
);
COMMENT ON TABLE event_keys IS 'The first event that bore each dedupe key.';

-- A folded delivery keeps its own bytes and points to the first event.
CREATE TABLE folded_deliveries (
    id uuid PRIMARY KEY,
    event_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    body bytea NOT NULL
);
COMMENT ON TABLE folded_deliveries IS 'Further deliveries of an event that is already known, with their own bytes.';
CREATE INDEX folded_deliveries_by_event ON folded_deliveries (event_id);

-- The narrow, changing side of an event: where its processing stands.
CREATE TABLE event_status (
    event_id uuid PRIMARY KEY,
    state text NOT NULL DEFAULT 'waiting',
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    alone boolean NOT NULL DEFAULT false,
    waits_for text[],
    reason text,
    last_error text,
    settled_at timestamptz,
    CONSTRAINT event_status_state CHECK (state IN ('waiting', 'parked', 'processed', 'ignored', 'dead')),
    CONSTRAINT event_status_settled CHECK ((state IN ('processed', 'ignored', 'dead')) = (settled_at IS NOT NULL)),
    CONSTRAINT event_status_parked CHECK ((state = 'parked') = (waits_for IS NOT NULL))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
COMMENT ON TABLE event_status IS 'Where the processing of each event stands; one narrow row an event.';
COMMENT ON COLUMN event_status.alone IS 'Folded by itself: its batch failed or its process vanished.';
COMMENT ON COLUMN event_status.waits_for IS 'parked: the albums or downloads whose binding will wake it.';
CREATE INDEX event_status_due ON event_status (due_at, event_id) WHERE state = 'waiting';
CREATE INDEX event_status_parked_for ON event_status USING gin (waits_for) WHERE state = 'parked';
CREATE INDEX event_status_open ON event_status (state, event_id) WHERE state IN ('parked', 'dead');

-- Which events a worker is folding at this moment, written before it begins: a worker that vanished (killed, out of
-- memory) leaves its row behind, and what it held is then folded one by one.
CREATE TABLE fold_runs (
    id uuid PRIMARY KEY,
    event_ids uuid[] NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE fold_runs IS 'Folds under way. A row whose events can be locked belongs to a worker that vanished.';
