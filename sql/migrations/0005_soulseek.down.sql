DROP VIEW leftovers;
DROP VIEW blocklist;
DROP TABLE watches;
DROP TABLE download_slots;
DROP TABLE soulseek_searches;
ALTER TABLE peers DROP COLUMN silent, DROP COLUMN wanted_at;
ALTER TABLE acquisitions DROP COLUMN budget_spent;
ALTER TABLE attempts
    DROP COLUMN searched_at,
    DROP COLUMN peer,
    DROP COLUMN folder,
    DROP COLUMN files,
    DROP COLUMN leftovers;
