-- org_id, limit: of how many repositories at most, steady: what the steady time is at least, in milliseconds since 1970. Returns the
-- metrics of the newest repositories that have an upstream. Times are seconds since 1970.
SELECT jsonb_build_object('org', (SELECT o.slug FROM refsync.organizations o WHERE o.id = $1::jsonb ->> 'org_id'), 'repos', coalesce(jsonb_agg(jsonb_build_object(
    'repo', r.name,
    'verified_timestamp_seconds', extract(epoch FROM r.upstream_verified_at),
    'age_seconds', extract(epoch FROM refsync.steady(($1::jsonb ->> 'steady')::float8) - r.upstream_verified_steady),
    'max_age_seconds', extract(epoch FROM r.upstream_max_age::interval),
    'stale', CASE WHEN r.upstream_max_age IS NOT NULL THEN (r.upstream_stale_at IS NOT NULL)::int END,
    'behind_refs', r.upstream_behind,
    'paused', (r.upstream_paused_at IS NOT NULL)::int,
    'last_sync_success', (latest.status = 'completed')::int,
    'last_sync_timestamp_seconds', extract(epoch FROM latest.finished_at))), '[]'))::text AS row
FROM (
    SELECT * FROM refsync.repos r
    WHERE r.org_id = $1::jsonb ->> 'org_id' AND r.upstream_url IS NOT NULL
    ORDER BY r.seq DESC
    LIMIT ($1::jsonb ->> 'limit')::int) r
LEFT JOIN LATERAL (
    SELECT s.status, s.finished_at FROM refsync.syncs s
    WHERE s.repo_id = r.id AND s.status IN ('completed', 'failed') ORDER BY s.seq DESC LIMIT 1) latest ON true
