-- name: cursor
SELECT observed_until, history_id FROM peers WHERE name = $1;

-- name: oldest_active
-- Where the first look begins: nothing older can matter to what is under way.
SELECT min(created_at) FROM acquisitions WHERE state NOT IN ('completed', 'failed', 'cancelled');

-- name: known_keys
SELECT key FROM event_keys WHERE source = $1 AND key = ANY ($2::text[]);

-- name: move_cursor
-- Never backwards: two looks may end in either order.
INSERT INTO peers (name, id, observed_until, history_id, observed_at)
VALUES ($1, $2, $3, $4, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET
    observed_until = greatest(peers.observed_until, excluded.observed_until),
    history_id = greatest(peers.history_id, excluded.history_id),
    observed_at = excluded.observed_at;
