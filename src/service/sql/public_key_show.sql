-- $1 organisation slug, $2 the key. The organisation, and the database's clock in seconds since 1970.
SELECT jsonb_build_object(
    'org', jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name),
    'now', extract(epoch FROM now())::bigint)::text AS row
FROM refsync.public_keys p
JOIN refsync.organizations o ON o.id = p.org_id
WHERE o.slug = $1::text AND p.x = $2::text
