-- repo_id, head: the commit that HEAD of the hosted repository names, or null, is_known: false during a push.
UPDATE refsync.repos SET head = $1::jsonb ->> 'head', head_is_known = ($1::jsonb ->> 'is_known')::boolean
WHERE id = $1::jsonb ->> 'repo_id' AND (head IS DISTINCT FROM $1::jsonb ->> 'head' OR head_is_known <> ($1::jsonb ->> 'is_known')::boolean)
RETURNING to_jsonb(id)::text AS row
