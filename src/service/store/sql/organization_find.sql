-- org: the slug, in any case, or the id.
SELECT jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name)::text AS row
FROM refsync.organizations o
WHERE o.slug = lower($1::jsonb ->> 'org') OR o.id = $1::jsonb ->> 'org'
ORDER BY o.slug = lower($1::jsonb ->> 'org') DESC
LIMIT 1
