-- $1 slug, in any case, or id.
SELECT jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name)::text AS row
FROM refsync.organizations o
WHERE o.slug = lower($1::text) OR o.id = $1::text
ORDER BY o.slug = lower($1::text) DESC
LIMIT 1
