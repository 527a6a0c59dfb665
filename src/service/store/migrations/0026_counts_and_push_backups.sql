-- How many commits only the source has, and how many only the destination has; null if they were not counted.
ALTER TABLE refsync.held ADD COLUMN ahead int, ADD COLUMN behind int;

-- The direction of the syncs that made a backup: those of pulls are in the repository, those of pushes at the upstream.
ALTER TABLE refsync.backups
    ADD COLUMN direction text NOT NULL DEFAULT 'pull',
    DROP CONSTRAINT backups_pkey,
    ADD PRIMARY KEY (repo_id, direction, backup);
