-- $1 key id, $2 organisation slug, $3 scope, $4 name or null, $5 hash, $6 an array of repository ids or null, $7 in how many
-- seconds it expires or null, $8 how many keys an organisation may have or null. No row if there is no such organisation, or if it
-- has that many keys. Keys that expired a week ago are removed.
WITH org AS MATERIALIZED (SELECT o.id FROM refsync.organizations o WHERE o.slug = $2::text),
expired AS (
    DELETE FROM refsync.api_keys k USING org WHERE k.org_id = org.id AND k.expires_at < now() - interval '7 days')
INSERT INTO refsync.api_keys (id, org_id, scope, name, hash, repo_ids, expires_at)
SELECT $1::text, org.id, $3::text, $4::text, $5::text, $6::jsonb, now() + make_interval(secs => $7::float8)
FROM org
WHERE $8::int IS NULL OR (SELECT count(*) FROM refsync.api_keys k WHERE k.org_id = org.id) < $8::int
RETURNING refsync.api_key(api_keys)::text AS row
