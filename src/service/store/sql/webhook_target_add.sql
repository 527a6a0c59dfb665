-- id, org_id, name or null, url, events, repo_ids: an array or null, format: or null, secret: sealed, max_targets: how many an organisation
-- may have. No row if it has that many already.
INSERT INTO refsync.webhook_targets (id, org_id, name, url, events, repo_ids, format, secret)
SELECT asked.id, asked.org_id, asked.name, asked.url, asked.events, asked.repo_ids, asked.format, asked.secret
FROM jsonb_to_record($1::jsonb) AS asked (
    id text, org_id text, name text, url text, events jsonb, repo_ids jsonb, format text, secret text, max_targets int)
WHERE (SELECT count(*) FROM refsync.webhook_targets t WHERE t.org_id = asked.org_id) < asked.max_targets
RETURNING refsync.webhook_target(webhook_targets)::text AS row
