-- repo_id, url: the origin's URL, head: the commit that the origin's HEAD names, or null. No row if the origin's URL has
-- changed meanwhile, or if this is known.
UPDATE refsync.repos SET origin_head = $1::jsonb ->> 'head'
WHERE id = $1::jsonb ->> 'repo_id' AND origin_url = $1::jsonb ->> 'url'
    AND origin_head IS DISTINCT FROM $1::jsonb ->> 'head'
RETURNING to_jsonb(id)::text AS row
