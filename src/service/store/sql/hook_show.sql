-- hook_id. Returns the repository of a hook, the sealed secret, the globs of its pulls, whether such a pull waits in the queue
-- already, and whether the upstream is paused.
SELECT jsonb_build_object(
    'repo_id', r.id, 'secret', r.hook_secret, 'ref_globs', asked.globs, 'is_paused', r.upstream_paused_at IS NOT NULL,
    'is_queued', EXISTS (
        SELECT FROM refsync.syncs s
        WHERE s.repo_id = r.id AND s.status = 'queued' AND s.direction = 'pull'
            AND s.branches = asked.globs ->> 'branches' AND s.tags = asked.globs ->> 'tags'))::text AS row
FROM refsync.repos r
CROSS JOIN LATERAL (SELECT refsync.trigger_globs(r.schedule, 'pull') AS globs) asked
WHERE r.hook_id = $1::jsonb ->> 'hook_id'
