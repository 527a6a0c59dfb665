-- Completes a run, and returns it without its stats. No row if the run is gone, or if another worker has its lease now.
-- - sync_id, lease.
-- - upstream_url: the upstream's URL that the run used.
-- - default_branch: the new default branch, or null to keep it. If a request has named another branch meanwhile, that
--   branch stays. The row contains the stored one.
-- - head_change_id: the change id of the new default branch's commit, or null.
-- - old_default_branch: the default branch that was stored at the time of the decision.
-- - counts: how many refs have each outcome; stats_bytes: the size of the stats in bytes; $2: the stats.
--
-- A run of all refs also sets the freshness of the repository, to the run's start, because the run read everything after
-- that.
WITH repo AS (
    -- The repository is locked first, as in a deletion.
    SELECT r.id, r.name, r.tags, r.default_bookmark, r.upstream_url = $1::jsonb ->> 'upstream_url' AS is_same_upstream,
        $1::jsonb ->> 'default_branch' IS NOT NULL AND r.default_bookmark_asked_for IS NOT TRUE
            AND r.default_bookmark = $1::jsonb ->> 'old_default_branch' AS follows
    FROM refsync.repos r
    JOIN refsync.syncs s ON s.repo_id = r.id
    WHERE s.id = $1::jsonb ->> 'sync_id'
    FOR NO KEY UPDATE OF r
), completed AS (
    UPDATE refsync.syncs s
    SET status = 'completed', stats = $2::jsonb, stats_counts = $1::jsonb -> 'counts', stats_bytes = ($1::jsonb ->> 'stats_bytes')::int,
        finished_at = now(), lease = NULL, lease_expires_at = NULL
    FROM repo
    WHERE s.repo_id = repo.id AND s.id = $1::jsonb ->> 'sync_id' AND s.lease = $1::jsonb ->> 'lease'
    RETURNING s.started_at, repo.is_same_upstream AND s.branches = '*' AND s.tags = '*' AS verifies,
        refsync.sync_run(s) AS run
), changed AS (
    UPDATE refsync.repos r SET
        upstream_behind = CASE WHEN completed.verifies THEN apart.refs ELSE r.upstream_behind END,
        upstream_verified_at = CASE WHEN completed.verifies AND apart.refs = 0 THEN completed.started_at
            ELSE r.upstream_verified_at END,
        default_bookmark = CASE WHEN repo.follows THEN $1::jsonb ->> 'default_branch' ELSE r.default_bookmark END,
        default_bookmark_asked_for = CASE WHEN repo.follows THEN false ELSE r.default_bookmark_asked_for END
    FROM repo
    CROSS JOIN completed
    CROSS JOIN (SELECT ($1::jsonb #>> '{counts,rejected}')::int AS refs) apart
    WHERE r.id = repo.id AND (completed.verifies OR repo.follows)
    RETURNING CASE WHEN repo.follows THEN refsync.announce_repo(r, 'repo.updated', $1::jsonb ->> 'head_change_id', jsonb_build_object(
        'before', jsonb_build_object('name', repo.name, 'default_bookmark', repo.default_bookmark, 'tags', repo.tags),
        'after', jsonb_build_object('name', r.name, 'default_bookmark', r.default_bookmark, 'tags', r.tags))) END
)
SELECT jsonb_build_object(
    'run', refsync.announce_run(completed.run, ($1::jsonb ->> 'stats_bytes')::int),
    'default_branch', CASE WHEN repo.follows THEN $1::jsonb ->> 'default_branch' ELSE repo.default_bookmark END)::text AS row
FROM completed CROSS JOIN repo
