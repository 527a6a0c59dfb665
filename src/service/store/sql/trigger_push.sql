-- repo_id. $2: the refs that a push into the repository has moved, an array of {ref, before, after}; JSON's null if there was no push,
-- or if they are not known. Announces the push. If the upstream wants it and refs may have moved, queues a push to the upstream, unless
-- an identical one is queued already. Returns whether a run was added, or null.
SELECT (jsonb_build_object(
    'told', refsync.announce_push(r, nullif($2::jsonb, 'null')),
    'is_added', CASE WHEN r.on_push AND $2::jsonb <> '[]' THEN refsync.trigger_sync(r, 'push') END) -> 'is_added')::text AS row
FROM refsync.repos r
WHERE r.id = $1::jsonb ->> 'repo_id'
