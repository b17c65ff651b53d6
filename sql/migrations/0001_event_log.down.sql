DROP TABLE fold_runs;
DROP TABLE event_status;
DROP TABLE folded_deliveries;
DROP TABLE event_keys;
DROP TABLE events;
DROP FUNCTION refuse_change();
