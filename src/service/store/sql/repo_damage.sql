-- repo_id, damage: what is wrong with its files, or null. No row if nothing changes.
UPDATE refsync.repos SET damage = nullif($1::jsonb -> 'damage', 'null')
WHERE id = $1::jsonb ->> 'repo_id' AND damage IS DISTINCT FROM nullif($1::jsonb -> 'damage', 'null')
RETURNING to_jsonb(id)::text AS row
