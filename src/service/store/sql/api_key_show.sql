-- key_id. Every call runs this statement. So it contains the text of refsync.whoami_org, which PostgreSQL would otherwise
-- expand each time.
SELECT jsonb_build_object(
    'hash', k.hash,
    'has_expired', coalesce(k.expires_at <= now(), false),
    'is_use_old', refsync.is_use_old(k.last_used_at),
    'caller', jsonb_build_object(
        'key_id', k.id, 'scope', k.scope, 'access', refsync.key_access(k.org_id, k.scope, k.repo_ids),
        'org', jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name)))::text AS row
FROM refsync.api_keys k
JOIN refsync.organizations o ON o.id = k.org_id
WHERE k.id = $1::jsonb ->> 'key_id'
