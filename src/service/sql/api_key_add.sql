-- $1 key id, $2 organisation slug, $3 scope, $4 name or null, $5 hash. No row where there is no such organisation.
INSERT INTO refsync.api_keys (id, org_id, scope, name, hash)
SELECT $1::text, o.id, $3::text, $4::text, $5::text
FROM refsync.organizations o
WHERE o.slug = $2::text
RETURNING to_jsonb(id)::text AS row
