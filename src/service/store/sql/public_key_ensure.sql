-- org: the organisation's slug, x: the key, name or null. No row if there is no such organisation.
INSERT INTO refsync.public_keys (org_id, x, name)
SELECT o.id, $1::jsonb ->> 'x', $1::jsonb ->> 'name'
FROM refsync.organizations o
WHERE o.slug = $1::jsonb ->> 'org'
ON CONFLICT (org_id, x) DO UPDATE SET name = coalesce(excluded.name, public_keys.name)
RETURNING to_jsonb(id)::text AS row
