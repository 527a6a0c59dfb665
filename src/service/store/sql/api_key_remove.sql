-- org_id, key_id.
DELETE FROM refsync.api_keys WHERE org_id = $1::jsonb ->> 'org_id' AND id = $1::jsonb ->> 'key_id' RETURNING to_jsonb(id)::text AS row
