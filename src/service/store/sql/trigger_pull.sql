-- repo_id. Queues a pull, unless an identical one is queued already. Returns whether a run was added.
SELECT to_jsonb(refsync.trigger_sync(r, 'pull'))::text AS row FROM refsync.repos r WHERE r.id = $1::jsonb ->> 'repo_id'
