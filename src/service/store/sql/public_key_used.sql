-- key_id. Notes that the key is in use, once a minute at most.
UPDATE refsync.public_keys SET last_used_at = now() WHERE id = $1::jsonb ->> 'key_id' AND refsync.is_use_old(last_used_at)
RETURNING to_jsonb(id)::text AS row
