-- org: the slug, in any case, or the id.
SELECT refsync.whoami_org(o)::text AS row
FROM refsync.organizations o
WHERE o.slug = lower($1::jsonb ->> 'org') OR o.id = $1::jsonb ->> 'org'
ORDER BY o.slug = lower($1::jsonb ->> 'org') DESC
LIMIT 1
