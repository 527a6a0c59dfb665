-- slug, name or null. No row if there is such an organisation already.
INSERT INTO refsync.organizations (slug, name)
VALUES ($1::jsonb ->> 'slug', coalesce($1::jsonb ->> 'name', $1::jsonb ->> 'slug'))
ON CONFLICT (slug) DO NOTHING
RETURNING jsonb_build_object(
    'id', id, 'slug', slug, 'name', name, 'created_at', refsync.rfc3339(created_at), 'num_repos', 0)::text AS row
