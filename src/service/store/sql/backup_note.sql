-- repo_id, made: the name of a backup that was made now, or null; removed: an array of the names of backups that are gone.
WITH gone AS (
    DELETE FROM refsync.backups b WHERE b.repo_id = $1::jsonb ->> 'repo_id' AND $1::jsonb -> 'removed' ? b.backup
)
INSERT INTO refsync.backups (repo_id, backup)
SELECT r.id, $1::jsonb ->> 'made' FROM refsync.repos r
WHERE r.id = $1::jsonb ->> 'repo_id' AND $1::jsonb ->> 'made' IS NOT NULL
ON CONFLICT (repo_id, backup) DO UPDATE SET created_at = now()
RETURNING to_jsonb(backup)::text AS row
