-- $1 a new lease, $2 its seconds. Takes the next run that may start, or that a lost worker left; no row where there is none.
WITH busy AS (
    SELECT r.org_id, count(*) AS runs
    FROM refsync.syncs s JOIN refsync.repos r ON r.id = s.repo_id
    WHERE s.status = 'in_progress' AND s.lease_expires_at > now()
    GROUP BY r.org_id
), next AS (
    SELECT s.id, r.name AS repo_name, o.slug AS org, r.upstream_url, r.upstream_auth
    FROM refsync.syncs s
    JOIN refsync.repos r ON r.id = s.repo_id
    JOIN refsync.organizations o ON o.id = r.org_id
    LEFT JOIN busy ON busy.org_id = r.org_id
    WHERE (s.status = 'in_progress' AND s.lease_expires_at <= now() AND s.cancel_requested_at IS NULL)
        OR (s.status = 'queued' AND s.run_after <= now() AND NOT EXISTS (
            SELECT FROM refsync.syncs other WHERE other.repo_id = s.repo_id AND other.status = 'in_progress'))
    -- Organisations with less in progress come first, then who waits longest.
    ORDER BY coalesce(busy.runs, 0), s.seq
    LIMIT 1
    -- The repository's lock keeps other workers from its other runs, without holding up new ones.
    FOR NO KEY UPDATE OF s, r SKIP LOCKED
)
UPDATE refsync.syncs s SET
    status = 'in_progress',
    attempt = s.attempt + CASE s.status WHEN 'in_progress' THEN 1 ELSE 0 END,
    started_at = now(),
    progress = NULL,
    lease = $1::text,
    lease_expires_at = now() + make_interval(secs => $2::float8)
FROM next
WHERE s.id = next.id
RETURNING jsonb_build_object(
    'run', refsync.announce_sync(s), 'repo_name', next.repo_name, 'org', next.org,
    'upstream_url', next.upstream_url, 'upstream_auth', next.upstream_auth)::text AS row
