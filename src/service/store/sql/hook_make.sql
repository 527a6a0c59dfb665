-- repo_id, hook_id: a new one, which is used if the repository has none yet, secret: sealed. Returns the hook's id. No row if the
-- repository has no upstream.
UPDATE refsync.repos SET
    hook_id = coalesce(hook_id, $1::jsonb ->> 'hook_id'),
    hook_secret = $1::jsonb ->> 'secret'
WHERE id = $1::jsonb ->> 'repo_id' AND upstream_url IS NOT NULL
RETURNING to_jsonb(hook_id)::text AS row
