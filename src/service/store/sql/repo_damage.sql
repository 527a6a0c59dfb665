-- $1 repository id, $2 what is wrong with its files, or null. No row where nothing changes.
UPDATE refsync.repos SET damage = $2::jsonb
WHERE id = $1::text AND damage IS DISTINCT FROM $2::jsonb
RETURNING to_jsonb(id)::text AS row
