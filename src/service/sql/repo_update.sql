-- $1 repository id, $2 name, $3 default bookmark, $4 tags to merge (null values remove); null keeps each of them.
-- $5 upstream: keep, remove or set to the URL $6; $7 its auth: keep, or set to the kind $8 and the sealed $9.
UPDATE refsync.repos SET
    name = coalesce($2::text, name),
    default_bookmark = coalesce($3::text, default_bookmark),
    tags = jsonb_strip_nulls(tags || coalesce($4::jsonb, '{}')),
    upstream_url = CASE $5::text WHEN 'keep' THEN upstream_url WHEN 'set' THEN $6::text END,
    upstream_auth_kind = CASE WHEN $5::text = 'remove' THEN NULL WHEN $7::text = 'keep' THEN upstream_auth_kind ELSE $8::text END,
    upstream_auth = CASE WHEN $5::text = 'remove' THEN NULL WHEN $7::text = 'keep' THEN upstream_auth ELSE $9::text END
WHERE id = $1::text
RETURNING refsync.repo(repos)::text AS row
