-- hash: of the code, org: the organisation's slug, expires_in_seconds. No row if there is no such organisation. Removes
-- expired codes.
WITH expired AS (DELETE FROM refsync.page_codes WHERE expires_at < now())
INSERT INTO refsync.page_codes (hash, org_id, expires_at)
SELECT $1::jsonb ->> 'hash', o.id, now() + make_interval(secs => ($1::jsonb ->> 'expires_in_seconds')::float8)
FROM refsync.organizations o
WHERE o.slug = $1::jsonb ->> 'org'
RETURNING to_jsonb(org_id)::text AS row
