-- org_id, target_id. Its pending deliveries are removed with it.
DELETE FROM refsync.webhook_targets WHERE org_id = $1::jsonb ->> 'org_id' AND id = $1::jsonb ->> 'target_id'
RETURNING to_jsonb(id)::text AS row
