-- $1 organisation slug, $2 the key, $3 name or null. No row where there is no such organisation.
INSERT INTO refsync.public_keys (org_id, x, name)
SELECT o.id, $2::text, $3::text
FROM refsync.organizations o
WHERE o.slug = $1::text
ON CONFLICT (org_id, x) DO UPDATE SET name = coalesce(excluded.name, public_keys.name)
RETURNING to_jsonb(id)::text AS row
