-- Every organisation, by slug.
SELECT refsync.organization(o)::text AS row
FROM refsync.organizations o
ORDER BY o.slug
