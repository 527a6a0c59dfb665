-- $1 organisation id, $2 key id.
DELETE FROM refsync.public_keys WHERE org_id = $1::text AND id = $2::text RETURNING to_jsonb(id)::text AS row
