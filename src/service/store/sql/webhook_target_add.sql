-- $1 id, $2 organisation id, $3 name or null, $4 URL, $5 events, $6 repository ids or null, $7 sealed secret, $8 how many
-- an organisation may have. No row where it has that many.
INSERT INTO refsync.webhook_targets (id, org_id, name, url, events, repo_ids, secret)
SELECT $1::text, $2::text, $3::text, $4::text, $5::jsonb, $6::jsonb, $7::text
WHERE (SELECT count(*) FROM refsync.webhook_targets WHERE org_id = $2::text) < $8::int
RETURNING refsync.webhook_target(webhook_targets)::text AS row
