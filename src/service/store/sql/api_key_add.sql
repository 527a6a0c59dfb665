-- id, org: the organisation's slug, scope, name or null, hash, repo_ids: an array or null, expires_in_seconds or null,
-- max_keys: how many keys an organisation may have, or null. No row if there is no such organisation, or if it has that
-- many keys already. Removes keys that expired a week ago.
WITH org AS MATERIALIZED (SELECT o.id FROM refsync.organizations o WHERE o.slug = $1::jsonb ->> 'org'),
expired AS (
    DELETE FROM refsync.api_keys k USING org WHERE k.org_id = org.id AND k.expires_at < now() - interval '7 days')
INSERT INTO refsync.api_keys (id, org_id, scope, name, hash, repo_ids, expires_at)
SELECT asked.id, org.id, asked.scope, asked.name, asked.hash, asked.repo_ids,
    now() + make_interval(secs => asked.expires_in_seconds)
FROM org
CROSS JOIN jsonb_to_record($1::jsonb) AS asked (
    id text, scope text, name text, hash text, repo_ids jsonb, expires_in_seconds float8, max_keys int)
WHERE asked.max_keys IS NULL OR (SELECT count(*) FROM refsync.api_keys k WHERE k.org_id = org.id) < asked.max_keys
RETURNING refsync.api_key(api_keys)::text AS row
