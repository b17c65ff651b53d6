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
