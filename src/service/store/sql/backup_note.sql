-- repo_id, direction, made: the name of a backup that was made now, or null; removed: an array of the names of backups that are gone.
WITH gone AS (
    DELETE FROM refsync.backups b
    WHERE b.repo_id = $1::jsonb ->> 'repo_id' AND b.direction = $1::jsonb ->> 'direction' AND $1::jsonb -> 'removed' ? b.backup
)
INSERT INTO refsync.backups (repo_id, direction, backup)
SELECT r.id, $1::jsonb ->> 'direction', $1::jsonb ->> 'made' FROM refsync.repos r
WHERE r.id = $1::jsonb ->> 'repo_id' AND $1::jsonb ->> 'made' IS NOT NULL
ON CONFLICT (repo_id, direction, backup) DO UPDATE SET created_at = now()
RETURNING to_jsonb(backup)::text AS row
