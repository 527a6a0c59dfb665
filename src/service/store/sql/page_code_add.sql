-- $1 hash of the code, $2 organisation slug, $3 in how many seconds it expires. No row if there is no such organisation. Codes that
-- have expired are removed.
WITH expired AS (DELETE FROM refsync.page_codes WHERE expires_at < now())
INSERT INTO refsync.page_codes (hash, org_id, expires_at)
SELECT $1::text, o.id, now() + make_interval(secs => $3::float8)
FROM refsync.organizations o
WHERE o.slug = $2::text
RETURNING to_jsonb(org_id)::text AS row
