-- The UpstreamPolicy of the API: a repository's standing policy, and the keys of one sync, which win.
CREATE OR REPLACE FUNCTION refsync.policy(standing jsonb, own jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $fn$
    SELECT '{"on_diverged": "reject", "prune_max": null, "exclude": [], "atomic": false, "keep_backups": null}'::jsonb
        || coalesce(standing, '{}') || coalesce(own, '{}')
$fn$;

-- The same as the engine has it, and the facts that the service needs of it:
-- - engine: `Policy` of service/engine.ts, as a text, because the service only passes it on.
-- - holds: whether moves are held, or were held by an earlier run.
-- - keep_minutes: how long backups are kept, or null.
CREATE OR REPLACE FUNCTION refsync.task_policy(repo_id text, direction text, policy jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    WITH held AS (
        SELECT count(*) > 0 AS is_any,
            coalesce(string_agg(format('%s %s %s', h.from_id, h.to_id, h.name), E'\n')
                FILTER (WHERE h.approved_at IS NOT NULL), '') AS approved
        FROM refsync.held h
        WHERE h.repo_id = task_policy.repo_id AND h.direction = task_policy.direction
    )
    SELECT jsonb_build_object(
        'engine', (jsonb_strip_nulls(jsonb_build_object(
            'force', policy ->> 'on_diverged' = 'backup_and_force',
            'prune', policy -> 'prune_max',
            'atomic', policy -> 'atomic',
            'exclude', policy -> 'exclude',
            'hold', CASE WHEN policy ->> 'on_diverged' = 'hold' THEN held.approved END)))::text,
        'holds', held.is_any OR policy ->> 'on_diverged' = 'hold',
        'keep_minutes', floor(extract(epoch FROM (policy ->> 'keep_backups')::interval) / 60))
    FROM held
$fn$;
