-- org: a slug or an id; org_id: the organisation of a caller who may see the repository, or null; repo: a name in any case or an
-- id; max_age: a time such as 15m, or null for that of the upstream; steady: what the steady time is at least, in milliseconds
-- since 1970. Returns the Freshness of the API, and more about the repository. No row if the caller may not see it.
SELECT jsonb_build_object(
    'freshness', refsync.freshness(
        r, coalesce($1::jsonb ->> 'max_age', r.upstream_max_age), refsync.steady(($1::jsonb ->> 'steady')::float8)),
    'more', jsonb_build_object(
        'has_upstream', r.upstream_url IS NOT NULL,
        'hosted_id', CASE WHEN r.origin_url IS NULL THEN r.id END,
        'last_status', (SELECT s.status FROM refsync.syncs s
            WHERE s.repo_id = r.id AND s.status IN ('completed', 'failed') ORDER BY s.seq DESC LIMIT 1)))::text AS row
FROM refsync.repos r
JOIN refsync.organizations o ON o.id = r.org_id
WHERE (o.slug = lower($1::jsonb ->> 'org') OR o.id = $1::jsonb ->> 'org')
    AND (r.id = $1::jsonb ->> 'repo' OR lower(r.name) = lower($1::jsonb ->> 'repo'))
    AND (r.upstream_public_badge OR r.org_id = $1::jsonb ->> 'org_id')
ORDER BY r.id = $1::jsonb ->> 'repo' DESC
LIMIT 1
