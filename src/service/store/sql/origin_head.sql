-- repo_id, url: the origin's URL, head: the commit that the origin's HEAD names, or null. No row if the origin's URL has
-- changed meanwhile.
UPDATE refsync.repos SET origin_head = $1::jsonb ->> 'head'
WHERE id = $1::jsonb ->> 'repo_id' AND origin_url = $1::jsonb ->> 'url'
RETURNING to_jsonb(id)::text AS row
