-- repo_id, direction, branches: a glob, tags: a glob, policy: the keys that the request brings, or null. A waiting run
-- takes the newest. Nor does it wait any longer for more events of a hook. No row if the repository has no upstream.
WITH waiting AS (
    -- This lock and a claim at the same moment exclude each other. If the claim comes first, this request gets a run of its
    -- own. Otherwise the run stays queued until this request has joined it.
    SELECT s.* FROM refsync.syncs s
    WHERE s.repo_id = $1::jsonb ->> 'repo_id' AND s.status = 'queued'
        AND s.direction = $1::jsonb ->> 'direction' AND s.branches = $1::jsonb ->> 'branches' AND s.tags = $1::jsonb ->> 'tags'
    ORDER BY s.seq
    LIMIT 1
    FOR UPDATE
), changed AS (
    UPDATE refsync.syncs s SET
        policy = coalesce(nullif($1::jsonb -> 'policy', 'null'), s.policy),
        run_after = CASE WHEN s.attempt = 1 THEN least(s.run_after, now()) ELSE s.run_after END
    FROM waiting
    WHERE s.id = waiting.id AND ($1::jsonb -> 'policy' <> 'null' OR waiting.attempt = 1 AND waiting.run_after > now())
    RETURNING s.id, refsync.sync_run(s) AS run
), added AS (
    INSERT INTO refsync.syncs (repo_id, direction, branches, tags, policy)
    SELECT r.id, $1::jsonb ->> 'direction', $1::jsonb ->> 'branches', $1::jsonb ->> 'tags', nullif($1::jsonb -> 'policy', 'null')
    FROM refsync.repos r
    WHERE r.id = $1::jsonb ->> 'repo_id' AND r.upstream_url IS NOT NULL AND NOT EXISTS (SELECT FROM waiting)
    -- An identical request added this run after this statement began.
    ON CONFLICT (repo_id, direction, branches, tags) WHERE status = 'queued' AND attempt = 1
        DO UPDATE SET run_after = least(syncs.run_after, now()), policy = coalesce(excluded.policy, syncs.policy)
    -- A row that existed before has an xmax, because the update locked it.
    RETURNING CASE WHEN syncs.xmax = 0 THEN refsync.announce_sync(syncs) ELSE refsync.sync_run(syncs) END AS run
)
SELECT run::text AS row FROM added
UNION ALL
SELECT run::text FROM changed
UNION ALL
SELECT refsync.sync_run((SELECT s FROM refsync.syncs s WHERE s.id = waiting.id))::text FROM waiting
JOIN refsync.repos r ON r.id = waiting.repo_id AND r.upstream_url IS NOT NULL
WHERE NOT EXISTS (SELECT FROM changed)
