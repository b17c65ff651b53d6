-- name: version
-- A schema that was restored without its rows has none here, until the first change.
SELECT coalesce(max(version), 0) FROM settings_version;

-- name: values
-- Values and version in one statement, so that they belong together.
SELECT v.version, s.name, s.value
FROM (SELECT coalesce(max(version), 0) AS version FROM settings_version) AS v
LEFT JOIN settings AS s ON true;

-- name: count_up
-- First in its transaction: changes of settings wait for each other here, so the values of a version never vary.
INSERT INTO settings_version DEFAULT VALUES
ON CONFLICT (one) DO UPDATE SET version = settings_version.version + 1
RETURNING version;

-- name: put
INSERT INTO settings (name, value, changed_at, changed_by) VALUES ($1, $2, clock_timestamp(), $3)
ON CONFLICT (name) DO UPDATE SET
    value = excluded.value,
    changed_at = excluded.changed_at,
    changed_by = excluded.changed_by;

-- name: forget
DELETE FROM settings WHERE name = $1;
