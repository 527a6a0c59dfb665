-- Claims the next run that may start, or a run whose worker was lost. No row if there is no such run. Fails with a unique
-- violation if another worker took the same repository or the same place at this moment.
-- - lease: the new lease; lease_seconds: how long it lasts.
-- - max_runs: how many runs may be in progress, or null; max_runs_of_org: the same for one organisation, or null.
-- - only_origins: whether to claim only runs of repositories that are on another Git server.
-- - max_attempts: how many attempts may be lost.
-- - is_last_lane: whether this is the last free lane. It takes only a run whose upstream's host has no run in progress. If
--   there are several organisations, the run's organisation must not have one either.
WITH busy AS (
    SELECT r.org_id, count(*) AS runs, count(*) FILTER (WHERE s.lease_expires_at > now()) AS alive
    FROM refsync.syncs s JOIN refsync.repos r ON r.id = s.repo_id
    WHERE s.status = 'in_progress'
    GROUP BY r.org_id
), busy_hosts AS (
    SELECT refsync.url_host(r.upstream_url) AS host, count(*) AS alive
    FROM refsync.syncs s JOIN refsync.repos r ON r.id = s.repo_id
    WHERE s.status = 'in_progress' AND s.lease_expires_at > now()
    GROUP BY 1
), next AS (
    SELECT s.id, r.name AS repo_name, o.id AS org_id, o.slug AS org, r.upstream_url, r.upstream_auth,
        r.upstream_policy, r.upstream_epoch, r.origin_url, r.origin_auth, r.default_bookmark, r.default_bookmark_asked_for, r.damage IS NOT NULL AS is_damaged
    FROM refsync.syncs s
    JOIN refsync.repos r ON r.id = s.repo_id
    JOIN refsync.organizations o ON o.id = r.org_id
    LEFT JOIN busy ON busy.org_id = r.org_id
    LEFT JOIN busy_hosts ON busy_hosts.host = refsync.url_host(r.upstream_url)
    -- A run whose worker was lost still has its place.
    WHERE (NOT ($1::jsonb ->> 'only_origins')::boolean OR r.origin_url IS NOT NULL)
        AND (NOT ($1::jsonb ->> 'is_last_lane')::boolean OR busy_hosts.host IS NULL AND (coalesce(busy.alive, 0) = 0
            OR NOT EXISTS (SELECT FROM refsync.organizations other WHERE other.id <> r.org_id)))
        AND (
        (s.status = 'in_progress' AND s.lease_expires_at <= now() AND s.cancel_requested_at IS NULL
            AND s.attempt < ($1::jsonb ->> 'max_attempts')::int)
        OR (s.status = 'queued' AND s.run_after <= now()
            AND NOT EXISTS (
                SELECT FROM refsync.syncs other WHERE other.repo_id = s.repo_id AND other.status = 'in_progress')
            AND (($1::jsonb ->> 'max_runs')::int IS NULL OR ($1::jsonb ->> 'max_runs')::int > (SELECT coalesce(sum(runs), 0) FROM busy))
            AND (($1::jsonb ->> 'max_runs_of_org')::int IS NULL OR ($1::jsonb ->> 'max_runs_of_org')::int > coalesce(busy.runs, 0))))
    -- Organisations and hosts with fewer runs in progress come first, then the run that has waited longest.
    ORDER BY coalesce(busy.alive, 0) + coalesce(busy_hosts.alive, 0), s.seq
    LIMIT 1
    -- The lock on the repository keeps other workers from claiming its other runs. It does not block new runs.
    FOR NO KEY UPDATE OF s, r SKIP LOCKED
), place AS (
    -- A random free place, so that workers that claim at the same time rarely choose the same one.
    SELECT (
        SELECT n FROM generate_series(1, ($1::jsonb ->> 'max_runs')::int) n
        WHERE NOT EXISTS (SELECT FROM refsync.syncs s WHERE s.status = 'in_progress' AND s.slot = n)
        ORDER BY random() LIMIT 1) AS slot, (
        SELECT format('%s %s', next.org_id, n) FROM generate_series(1, ($1::jsonb ->> 'max_runs_of_org')::int) n
        WHERE NOT EXISTS (
            SELECT FROM refsync.syncs s WHERE s.status = 'in_progress' AND s.org_slot = format('%s %s', next.org_id, n))
        ORDER BY random() LIMIT 1) AS org_slot
    FROM next
)
UPDATE refsync.syncs s SET
    status = 'in_progress',
    attempt = s.attempt + CASE s.status WHEN 'in_progress' THEN 1 ELSE 0 END,
    slot = CASE s.status WHEN 'in_progress' THEN s.slot ELSE place.slot END,
    org_slot = CASE s.status WHEN 'in_progress' THEN s.org_slot ELSE place.org_slot END,
    started_at = now(),
    started_steady = now() + (SELECT clock_back FROM refsync.service),
    upstream_epoch = next.upstream_epoch,
    progress = NULL,
    lease = $1::jsonb ->> 'lease',
    lease_expires_at = now() + make_interval(secs => ($1::jsonb ->> 'lease_seconds')::float8)
FROM next, place
WHERE s.id = next.id
RETURNING jsonb_build_object(
    'run', refsync.announce_sync(s), 'repo_name', next.repo_name, 'org', next.org,
    -- Most upstreams have the default policy. The function would be planned for each claim.
    'policy', CASE WHEN next.upstream_policy IS NULL AND s.policy IS NULL
            AND NOT EXISTS (SELECT FROM refsync.held h WHERE h.repo_id = s.repo_id AND h.direction = s.direction)
        THEN '{"engine": "{}", "holds": false}'::jsonb
        ELSE refsync.task_policy(s.repo_id, s.direction, refsync.policy(next.upstream_policy, s.policy)) END,
    'is_damaged', next.is_damaged, 'upstream_url', next.upstream_url, 'upstream_auth', next.upstream_auth,
    'origin', CASE WHEN next.origin_url IS NOT NULL THEN jsonb_build_object(
        'url', next.origin_url, 'auth', next.origin_auth) END,
    'default_branch', jsonb_build_object(
        'name', next.default_bookmark, 'asked_for', next.default_bookmark_asked_for))::text AS row
