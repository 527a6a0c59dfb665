-- The Repo of the API. It has the commit that HEAD names in place of head_change_id, which is derived from it.
CREATE OR REPLACE FUNCTION refsync.repo(r refsync.repos) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'id', r.id,
        'org', (SELECT o.slug FROM refsync.organizations o WHERE o.id = r.org_id),
        'name', r.name,
        'default_bookmark', r.default_bookmark,
        'tags', r.tags,
        'created_at', refsync.rfc3339(r.created_at),
        'upstream', CASE WHEN r.upstream_url IS NOT NULL THEN jsonb_build_object(
            'url', r.upstream_url,
            'auth_kind', r.upstream_auth_kind,
            'verified_at', refsync.rfc3339(r.upstream_verified_at),
            'behind', r.upstream_behind,
            'schedule', r.schedule || jsonb_build_object('next_at',
                CASE WHEN r.upstream_paused_at IS NULL THEN refsync.rfc3339(r.schedule_at) END),
            'paused_at', refsync.rfc3339(r.upstream_paused_at),
            'pause_reason', r.upstream_pause_reason,
            'latest_sync', (
                SELECT refsync.sync_run(s) FROM refsync.syncs s WHERE s.repo_id = r.id ORDER BY s.seq DESC LIMIT 1))
            || CASE WHEN r.upstream_policy IS NOT NULL
                THEN jsonb_build_object('policy', refsync.policy(r.upstream_policy, NULL)) ELSE '{}' END
            -- The service puts its own address before it.
            || CASE WHEN r.hook_id IS NOT NULL
                THEN jsonb_build_object('hook', jsonb_build_object('url', '/v1/hooks/' || r.hook_id)) ELSE '{}' END
            || CASE WHEN r.on_push THEN '{"on_push": true}'::jsonb ELSE '{}' END
            || CASE WHEN r.upstream_max_age IS NOT NULL THEN jsonb_build_object('max_age', r.upstream_max_age) ELSE '{}' END
            || CASE WHEN r.upstream_stale_at IS NOT NULL
                THEN jsonb_build_object('stale_since', refsync.rfc3339(r.upstream_stale_at)) ELSE '{}' END
            || CASE WHEN r.upstream_public_badge THEN '{"public_badge": true}'::jsonb ELSE '{}' END
        END,
        'origin', CASE WHEN r.origin_url IS NOT NULL THEN jsonb_build_object(
            'url', r.origin_url, 'auth_kind', r.origin_auth_kind) END,
        'damage', r.damage,
        'head', CASE WHEN r.origin_url IS NOT NULL THEN r.origin_head ELSE r.head END,
        'head_is_known', r.origin_url IS NOT NULL OR r.head_is_known,
        -- Processes of a version before schema 16 read this one.
        'origin_head', r.origin_head)
$fn$;

-- Earlier versions put the Repo together from these.
DROP FUNCTION IF EXISTS refsync.repo_without_head(refsync.repos);
DROP FUNCTION IF EXISTS refsync.repo_without_damage(refsync.repos);
DROP FUNCTION IF EXISTS refsync.repo_without_origin(refsync.repos);
