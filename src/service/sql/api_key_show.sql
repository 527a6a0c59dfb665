-- $1 key id.
SELECT jsonb_build_object(
    'hash', k.hash,
    'caller', jsonb_build_object(
        'key_id', k.id, 'scope', k.scope,
        'org', jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name)))::text AS row
FROM refsync.api_keys k
JOIN refsync.organizations o ON o.id = k.org_id
WHERE k.id = $1::text
