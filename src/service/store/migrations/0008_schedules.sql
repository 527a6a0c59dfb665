-- The API's schedule without its next_at, which is schedule_at: the database's only word on when the next run is queued.
ALTER TABLE refsync.repos ADD COLUMN schedule jsonb;
ALTER TABLE refsync.repos ADD COLUMN schedule_at timestamptz;
-- How many runs in a row ended because the upstream refused the credential.
ALTER TABLE refsync.repos ADD COLUMN upstream_refusals int NOT NULL DEFAULT 0;
ALTER TABLE refsync.repos ADD COLUMN upstream_paused_at timestamptz;
ALTER TABLE refsync.repos ADD COLUMN upstream_pause_reason text;
ALTER TABLE refsync.repos ADD CHECK (schedule_at IS NULL OR schedule IS NOT NULL);
ALTER TABLE refsync.repos ADD CHECK (schedule IS NULL OR upstream_url IS NOT NULL);
CREATE INDEX repos_scheduled ON refsync.repos (schedule_at) WHERE schedule_at IS NOT NULL AND upstream_paused_at IS NULL;

-- A run that completes shows that the credential is good.
CREATE FUNCTION refsync.upstream_accepts() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    UPDATE refsync.repos SET upstream_refusals = 0, upstream_paused_at = NULL, upstream_pause_reason = NULL
    WHERE id = NEW.repo_id AND upstream_refusals > 0;
    RETURN NULL;
END $fn$;
CREATE TRIGGER upstream_accepts AFTER UPDATE OF status ON refsync.syncs
    FOR EACH ROW WHEN (NEW.status = 'completed') EXECUTE FUNCTION refsync.upstream_accepts();

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
        END)
$fn$;
