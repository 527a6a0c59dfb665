-- slug, name or null. Returns the organisation, and makes it if it does not exist. A name renames it.
INSERT INTO refsync.organizations (slug, name)
VALUES ($1::jsonb ->> 'slug', coalesce($1::jsonb ->> 'name', $1::jsonb ->> 'slug'))
ON CONFLICT (slug) DO UPDATE SET name = coalesce($1::jsonb ->> 'name', organizations.name)
RETURNING refsync.whoami_org(organizations)::text AS row
