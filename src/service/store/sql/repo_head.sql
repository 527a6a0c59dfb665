-- $1 repository id, $2 the commit that HEAD of the hosted repository names, or null, $3 whether that is known: not while it is pushed to.
UPDATE refsync.repos SET head = $2::text, head_is_known = $3::boolean
WHERE id = $1::text AND (head IS DISTINCT FROM $2::text OR head_is_known <> $3::boolean)
RETURNING to_jsonb(id)::text AS row
