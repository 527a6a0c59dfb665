-- org: the organisation's slug, x: the key. Returns the organisation, the highest scope of the key's tokens, and the
-- database's time in seconds since 1970.
SELECT jsonb_build_object(
    'id', p.id,
    'has_expired', coalesce(p.expires_at <= now(), false),
    'is_use_old', refsync.is_use_old(p.last_used_at),
    'scope', p.scope,
    'access', refsync.key_access(p.org_id, p.scope, p.repo_ids),
    'org', refsync.whoami_org(o),
    'now', extract(epoch FROM now())::bigint)::text AS row
FROM refsync.public_keys p
JOIN refsync.organizations o ON o.id = p.org_id
WHERE o.slug = $1::jsonb ->> 'org' AND p.x = $1::jsonb ->> 'x'
