-- $1 repository id, $2 the URL or null, which makes the service its host; $3 its auth: keep, or set to the kind $4 and the
-- sealed $5.
UPDATE refsync.repos r SET
    origin_url = $2::text,
    origin_auth_kind = CASE WHEN $2::text IS NULL THEN NULL WHEN $3::text = 'keep' THEN r.origin_auth_kind ELSE $4::text END,
    origin_auth = CASE WHEN $2::text IS NULL THEN NULL WHEN $3::text = 'keep' THEN r.origin_auth ELSE $5::text END,
    origin_head = CASE WHEN r.origin_url = $2::text THEN r.origin_head END
WHERE r.id = $1::text
RETURNING refsync.repo(r)::text AS row
