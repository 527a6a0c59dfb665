-- When everything that the upstream has was last found at the other side or brought there, and how many refs the last such
-- look left apart. Null before the first, and after the upstream's URL changed.
ALTER TABLE refsync.repos ADD COLUMN upstream_verified_at timestamptz;
ALTER TABLE refsync.repos ADD COLUMN upstream_behind int;

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
            'latest_sync', (
                SELECT refsync.sync_run(s) FROM refsync.syncs s WHERE s.repo_id = r.id ORDER BY s.seq DESC LIMIT 1))
        END)
$fn$;
