-- org_id, target_id.
SELECT refsync.webhook_target(t)::text AS row
FROM refsync.webhook_targets t
WHERE t.org_id = $1::jsonb ->> 'org_id' AND t.id = $1::jsonb ->> 'target_id'
