-- repo_id, head_change_id. The repository's runs end and are removed with it. Their followers get the end first. A worker
-- that has one of the runs finds that its lease is gone.
WITH repo AS (
    SELECT id FROM refsync.repos WHERE id = $1::jsonb ->> 'repo_id' FOR UPDATE
), ended AS (
    UPDATE refsync.syncs s SET
        status = 'failed', error = 'the repository was deleted', finished_at = now(), lease = NULL, lease_expires_at = NULL
    FROM repo
    WHERE s.repo_id = repo.id AND s.status IN ('queued', 'in_progress')
    RETURNING refsync.announce_sync(s) AS run
)
DELETE FROM refsync.repos r
USING (SELECT count(run) AS runs FROM ended) told
WHERE r.id = $1::jsonb ->> 'repo_id' AND told.runs >= 0
RETURNING refsync.announce_repo(r, 'repo.deleted', $1::jsonb ->> 'head_change_id', '{}')::text AS row
