-- Locks while Redis is away (shared/locks.py). Postgres' clock decides, as Redis' does there.

-- name: take
-- $1 name, $2 token, $3 lifetime. A row comes back when we have it. Rows of holders that died are forgotten on
-- the way: names may be album ids, and nobody else cleans up. Retaking with one's own token prolongs it.
WITH forgotten AS (
    DELETE FROM locks WHERE expires_at < clock_timestamp() - interval '1 hour' AND name <> $1
)
INSERT INTO locks AS held (name, token, expires_at)
VALUES ($1, $2, clock_timestamp() + $3::interval)
ON CONFLICT (name) DO UPDATE
SET token = excluded.token, expires_at = excluded.expires_at
WHERE held.expires_at <= clock_timestamp() OR held.token = excluded.token
RETURNING true;

-- name: renew
-- $1 name, $2 token, $3 lifetime. No row: somebody else took it after it had expired.
UPDATE locks SET expires_at = clock_timestamp() + $3::interval
WHERE name = $1 AND token = $2
RETURNING true;

-- name: release
-- $1 name, $2 token. Another holder's row stays.
DELETE FROM locks WHERE name = $1 AND token = $2;
