-- $1 slug, $2 name or null. The organisation, made where it is missing; a name renames it.
INSERT INTO refsync.organizations (slug, name)
VALUES ($1::text, coalesce($2::text, $1::text))
ON CONFLICT (slug) DO UPDATE SET name = coalesce($2::text, organizations.name)
RETURNING jsonb_build_object('id', id, 'slug', slug, 'name', name)::text AS row
