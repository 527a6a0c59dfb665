-- repo_id, sync_id.
SELECT refsync.sync_run_with_stats(s)::text AS row
FROM refsync.syncs s
WHERE s.repo_id = $1::jsonb ->> 'repo_id' AND s.id = $1::jsonb ->> 'sync_id'
