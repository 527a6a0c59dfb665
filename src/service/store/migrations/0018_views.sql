-- Which functions of `views` the database has: `migrate` writes these.
ALTER TABLE refsync.service
    ADD COLUMN views_version int NOT NULL DEFAULT 0,
    ADD COLUMN views_fingerprint text NOT NULL DEFAULT '';
