-- org_id.
SELECT jsonb_build_object(
    'id', o.id, 'slug', o.slug, 'name', o.name, 'created_at', refsync.rfc3339(o.created_at),
    'num_repos', (SELECT count(*) FROM refsync.repos r WHERE r.org_id = o.id))::text AS row
FROM refsync.organizations o
WHERE o.id = $1::jsonb ->> 'org_id'
