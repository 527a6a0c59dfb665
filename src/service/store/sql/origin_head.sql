-- $1 repository id, $2 its origin's URL, $3 the commit that its HEAD names or null. No row where it is elsewhere by now.
UPDATE refsync.repos SET origin_head = $3::text
WHERE id = $1::text AND origin_url = $2::text
RETURNING to_jsonb(id)::text AS row
