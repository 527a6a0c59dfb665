-- org_id.
SELECT refsync.organization(o)::text AS row
FROM refsync.organizations o
WHERE o.id = $1::jsonb ->> 'org_id'
