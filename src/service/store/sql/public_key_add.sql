-- $1 organisation slug, $2 the key, $3 name or null, $4 scope, $5 an array of repository ids or null, $6 in how many seconds it
-- expires or null, $7 how many keys an organisation may have or null. No row if there is no such organisation, if it has that many
-- keys, or if it has this one. Keys that expired a week ago are removed.
WITH org AS MATERIALIZED (SELECT o.id FROM refsync.organizations o WHERE o.slug = $1::text),
expired AS (
    DELETE FROM refsync.public_keys k USING org WHERE k.org_id = org.id AND k.expires_at < now() - interval '7 days')
INSERT INTO refsync.public_keys (org_id, x, name, scope, repo_ids, expires_at)
SELECT org.id, $2::text, $3::text, $4::text, $5::jsonb, now() + make_interval(secs => $6::float8)
FROM org
WHERE $7::int IS NULL OR (SELECT count(*) FROM refsync.public_keys k WHERE k.org_id = org.id) < $7::int
ON CONFLICT (org_id, x) DO NOTHING
RETURNING refsync.public_key(public_keys)::text AS row
