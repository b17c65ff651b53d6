-- name: others_need
-- One download can carry many albums: does any other active acquisition wait for it?
SELECT EXISTS (
    SELECT 1
    FROM attempts AS t
    JOIN acquisitions AS a ON a.id = t.acquisition_id
    WHERE lower(t.download_id COLLATE "C") = lower($1 COLLATE "C")
        AND t.acquisition_id <> $2
        AND t.state IN ('searching', 'downloading', 'importing')
        AND a.state NOT IN ('completed', 'failed', 'cancelled'));

-- name: is_active
SELECT EXISTS (SELECT 1 FROM acquisitions WHERE id = $1 AND state NOT IN ('completed', 'failed', 'cancelled'));

-- name: is_searching
SELECT EXISTS (SELECT 1 FROM attempts WHERE acquisition_id = $1 AND number = $2 AND state = 'searching');

-- name: asked_lately
-- Albums that need not be asked for: under way, given up within $1, or of which an attempt of ours ended within $2. What
-- slips through here is left out when the batch is decided.
SELECT DISTINCT album_mbid
FROM acquisitions
WHERE state NOT IN ('completed', 'failed', 'cancelled')
    OR (budget_spent AND finished_at > now() - $1::interval)
    OR (origin = 'asked' AND finished_at > now() - $2::interval);
