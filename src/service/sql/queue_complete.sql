-- $1 sync id, $2 the lease, $3 the stats, $4 the upstream's URL that it worked with. No row where the lease is another's by
-- now, or the run is gone. A run of all refs also says how fresh the repository is: as of the run's start, for what it saw
-- came after that.
WITH repo AS (
    -- Locked first, as a deletion does.
    SELECT r.id
    FROM refsync.repos r
    JOIN refsync.syncs s ON s.repo_id = r.id
    WHERE s.id = $1::text
    FOR NO KEY UPDATE OF r
), completed AS (
    UPDATE refsync.syncs s
    SET status = 'completed', stats = $3::jsonb, finished_at = now(), lease = NULL, lease_expires_at = NULL
    FROM repo
    WHERE s.repo_id = repo.id AND s.id = $1::text AND s.lease = $2::text
    RETURNING s AS run
), verified AS (
    UPDATE refsync.repos r SET
        upstream_behind = apart.refs,
        upstream_verified_at = CASE apart.refs WHEN 0 THEN (completed.run).started_at ELSE r.upstream_verified_at END
    FROM completed
    CROSS JOIN LATERAL (
        SELECT count(*)::int AS refs
        FROM jsonb_array_elements((completed.run).stats -> 'refs') ref
        WHERE ref ->> 'outcome' = 'rejected') apart
    WHERE r.id = (completed.run).repo_id AND r.upstream_url = $4::text
        AND (completed.run).branches = '*' AND (completed.run).tags = '*'
)
SELECT refsync.announce_sync(run)::text AS row FROM completed
