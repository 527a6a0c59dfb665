-- $1 organisation id, $2 target id.
SELECT refsync.webhook_target(t)::text AS row
FROM refsync.webhook_targets t
WHERE t.org_id = $1::text AND t.id = $2::text
