-- code_hash, key_id, key_hash, expires_in_seconds. Uses the code up. No row if there is no such code, or if it has expired.
WITH used AS (
    DELETE FROM refsync.page_codes c WHERE c.hash = $1::jsonb ->> 'code_hash' RETURNING c.org_id, c.expires_at > now() AS is_good),
expired AS (
    DELETE FROM refsync.api_keys k USING used WHERE k.org_id = used.org_id AND k.expires_at < now() - interval '7 days')
INSERT INTO refsync.api_keys (id, org_id, scope, name, hash, expires_at)
SELECT $1::jsonb ->> 'key_id', used.org_id, 'admin', 'session of the page', $1::jsonb ->> 'key_hash',
    now() + make_interval(secs => ($1::jsonb ->> 'expires_in_seconds')::float8)
FROM used
WHERE used.is_good
RETURNING refsync.api_key(api_keys)::text AS row
