-- org: the organisation's slug, x: the key, name or null, scope, repo_ids: an array or null, expires_in_seconds or null,
-- max_keys: how many keys an organisation may have. No row if there is no such organisation, if it has that many keys
-- already, or if it has this key already. Removes keys that expired a week ago.
WITH org AS MATERIALIZED (SELECT o.id FROM refsync.organizations o WHERE o.slug = $1::jsonb ->> 'org'),
expired AS (
    DELETE FROM refsync.public_keys k USING org WHERE k.org_id = org.id AND k.expires_at < now() - interval '7 days')
INSERT INTO refsync.public_keys (org_id, x, name, scope, repo_ids, expires_at)
SELECT org.id, asked.x, asked.name, asked.scope, asked.repo_ids, now() + make_interval(secs => asked.expires_in_seconds)
FROM org
CROSS JOIN jsonb_to_record($1::jsonb) AS asked (
    x text, name text, scope text, repo_ids jsonb, expires_in_seconds float8, max_keys int)
WHERE (SELECT count(*) FROM refsync.public_keys k WHERE k.org_id = org.id) < asked.max_keys
ON CONFLICT (org_id, x) DO NOTHING
RETURNING refsync.public_key(public_keys)::text AS row
