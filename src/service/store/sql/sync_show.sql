-- $1 repository id, $2 sync id.
SELECT refsync.sync_run_with_stats(s)::text AS row FROM refsync.syncs s WHERE s.repo_id = $1::text AND s.id = $2::text
