-- $1 organisation id, $2 target id. What was still to be delivered goes with it.
DELETE FROM refsync.webhook_targets WHERE org_id = $1::text AND id = $2::text RETURNING to_jsonb(id)::text AS row
