-- Completes a run, and returns it without its stats. No row if the run is gone, or if another worker has its lease now.
-- - sync_id, lease.
-- - upstream_url: the upstream's URL that the run used.
-- - default_branch: the new default branch, or null to keep it. If a request has named another branch meanwhile, that
--   branch stays. The row contains the stored one.
-- - head_change_id: the change id of the new default branch's commit, or null.
-- - old_default_branch: the default branch that was stored at the time of the decision.
-- - counts: how many refs have each outcome; stats_bytes: the size of the stats in bytes; $2: the stats.
-- - diverged: an array of the names of refs that diverged. Those that had not diverged before are announced.
--
-- A run of all refs also sets the freshness of the repository, to the run's start, because the run read everything after
-- that. It has the direction of the schedule, or it is a pull if there is none; and nothing has changed since its start that
-- decides which refs belong to the mirror.
WITH repo AS (
    -- The repository is locked first, as in a deletion.
    SELECT s.id AS sync_id, r.id, r.name, r.tags, r.default_bookmark, r.upstream_url = $1::jsonb ->> 'upstream_url' AS is_same_upstream,
        $1::jsonb ->> 'default_branch' IS NOT NULL AND r.default_bookmark_asked_for IS NOT TRUE
            AND r.default_bookmark = $1::jsonb ->> 'old_default_branch' AS follows,
        coalesce(r.schedule ->> 'direction', 'pull') AS direction,
        s.started_steady, s.upstream_epoch = r.upstream_epoch AS is_same_epoch
    FROM refsync.repos r
    JOIN refsync.syncs s ON s.repo_id = r.id
    WHERE s.id = $1::jsonb ->> 'sync_id' AND s.lease = $1::jsonb ->> 'lease'
    FOR NO KEY UPDATE OF r, s
), same AS (
    -- The lock keeps the run, and so its stats, until this run refers to them too.
    SELECT s.stats_id AS id FROM repo
    CROSS JOIN LATERAL (SELECT n.id, n.seq, n.stats_id FROM refsync.syncs n WHERE n.repo_id = repo.id ORDER BY n.seq DESC LIMIT 8) newest
    JOIN refsync.run_stats stats ON stats.id = newest.stats_id
    JOIN refsync.syncs s ON s.id = newest.id
    WHERE stats.bytes = ($1::jsonb ->> 'stats_bytes')::int AND stats.stats = $2::jsonb
    ORDER BY newest.seq DESC
    LIMIT 1
    FOR KEY SHARE OF s
), added AS (
    INSERT INTO refsync.run_stats (bytes, stats)
    SELECT ($1::jsonb ->> 'stats_bytes')::int, $2::jsonb FROM repo WHERE NOT EXISTS (SELECT FROM same)
    RETURNING id
), completed AS (
    UPDATE refsync.syncs s
    SET status = 'completed', stats_id = coalesce((SELECT id FROM same), (SELECT id FROM added)),
        unchanged = ($1::jsonb #>> '{counts,unchanged}')::int,
        -- Without zeros, which `sync_run` adds.
        stats_counts = (SELECT jsonb_object_agg(key, value) FROM jsonb_each($1::jsonb -> 'counts') WHERE value <> '0' AND key <> 'unchanged'),
        stats_bytes = ($1::jsonb ->> 'stats_bytes')::int,
        finished_at = now(), lease = NULL, lease_expires_at = NULL, started_steady = NULL, upstream_epoch = NULL
    FROM repo
    WHERE s.id = repo.sync_id
    RETURNING s.repo_id, s.direction, s.started_at, repo.started_steady, s.branches = '*' AND s.tags = '*' AS is_of_all,
        repo.is_same_upstream AND s.branches = '*' AND s.tags = '*' AND s.direction = repo.direction
            AND repo.is_same_epoch AND (s.policy ? 'exclude') IS NOT TRUE AS verifies,
        refsync.sync_run(s) AS run
), diverging AS (
    SELECT ref.name FROM repo CROSS JOIN completed CROSS JOIN jsonb_array_elements_text($1::jsonb -> 'diverged') ref (name)
    WHERE repo.is_same_upstream
), together AS (
    DELETE FROM refsync.diverged d
    USING completed
    WHERE d.repo_id = completed.repo_id AND d.direction = completed.direction
        AND NOT EXISTS (SELECT FROM diverging WHERE diverging.name = d.name)
        AND (completed.is_of_all
            OR EXISTS (SELECT FROM jsonb_array_elements($2::jsonb -> 'refs') ref WHERE ref ->> 'name' = d.name))
), news AS (
    INSERT INTO refsync.diverged (repo_id, direction, name)
    SELECT completed.repo_id, completed.direction, diverging.name FROM completed CROSS JOIN diverging
    ON CONFLICT DO NOTHING
    RETURNING name
), changed AS (
    UPDATE refsync.repos r SET
        upstream_behind = CASE WHEN completed.verifies THEN apart.refs ELSE r.upstream_behind END,
        upstream_verified_at = CASE WHEN completed.verifies AND apart.refs = 0 THEN completed.started_at
            ELSE r.upstream_verified_at END,
        upstream_verified_steady = CASE WHEN completed.verifies AND apart.refs = 0 THEN completed.started_steady
            ELSE r.upstream_verified_steady END,
        -- If it was stale, it is checked now.
        upstream_check_at = CASE WHEN completed.verifies AND apart.refs = 0 AND r.upstream_max_age IS NOT NULL
            THEN completed.started_steady + CASE WHEN r.upstream_stale_at IS NULL THEN r.upstream_max_age::interval ELSE '0' END
            ELSE r.upstream_check_at END,
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
    'announced', (
        SELECT refsync.announce_upstream(r, 'upstream.diverged', jsonb_build_object(
            'direction', completed.direction, 'count', told.count, 'refs', told.refs))
        FROM (SELECT (SELECT count(*) FROM news) AS count, jsonb_agg(first.name) AS refs
            FROM (SELECT name FROM news ORDER BY name LIMIT 100) first) told
        JOIN refsync.repos r ON r.id = repo.id
        WHERE told.count > 0),
    'default_branch', CASE WHEN repo.follows THEN $1::jsonb ->> 'default_branch' ELSE repo.default_bookmark END)::text AS row
FROM completed CROSS JOIN repo
