-- slug, name or null. No row if the organisation exists already.
INSERT INTO refsync.organizations (slug, name)
VALUES ($1::jsonb ->> 'slug', coalesce($1::jsonb ->> 'name', $1::jsonb ->> 'slug'))
ON CONFLICT (slug) DO NOTHING
RETURNING refsync.organization(organizations)::text AS row
