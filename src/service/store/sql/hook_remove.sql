-- repo_id. No row if the repository has no hook.
UPDATE refsync.repos SET hook_id = NULL, hook_secret = NULL
WHERE id = $1::jsonb ->> 'repo_id' AND hook_id IS NOT NULL
RETURNING to_jsonb(id)::text AS row
