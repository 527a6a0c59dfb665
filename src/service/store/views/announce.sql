-- An older version has this one with fewer arguments.
DROP FUNCTION IF EXISTS refsync.announce(refsync.repos, text, text, jsonb);

-- Puts an event into the outbox, once for each target that wants it. The statement that makes it happen must call this, so that neither
-- is there without the other. If the data has a place for the stats of the sync `subject`, `stats_bytes` says how many bytes they have.
CREATE OR REPLACE FUNCTION refsync.announce(
    r refsync.repos, subject text, type text, data jsonb, stats_bytes int DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE AS $fn$
#variable_conflict use_column
DECLARE
    event_id text := refsync.new_id('evt');
    occurred_at text := refsync.rfc3339(clock_timestamp());
BEGIN
    INSERT INTO refsync.webhook_deliveries (target_id, subject, envelope, takes_stats, bytes)
    SELECT t.id, announce.subject, jsonb_build_object(
        'id', event_id,
        'type', announce.type,
        'occurred_at', occurred_at,
        'organization', refsync.whoami_org(o),
        -- Delivery puts the service's own address before it.
        'repository', jsonb_build_object('id', r.id, 'name', r.name, 'url', format('/%s/%s.git', o.slug, r.name)),
        'data', announce.data), announce.stats_bytes IS NOT NULL, coalesce(announce.stats_bytes, 0)
    FROM refsync.webhook_targets t
    JOIN refsync.organizations o ON o.id = t.org_id
    WHERE t.org_id = r.org_id
        AND t.events @> to_jsonb(announce.type)
        AND (t.repo_ids IS NULL OR t.repo_ids @> to_jsonb(r.id));
END $fn$;

-- Announces the new status of a run, given as the API has it but without stats, and gives it. A run's row is not passed on: PostgreSQL
-- would copy its stats each time.
CREATE OR REPLACE FUNCTION refsync.announce_run(run jsonb, stats_bytes int) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $fn$
BEGIN
    PERFORM refsync.announce(
        r, announce_run.run ->> 'id', 'sync.' || (announce_run.run ->> 'status'), jsonb_build_object('sync', announce_run.run),
        announce_run.stats_bytes)
    FROM refsync.repos r
    WHERE r.id = announce_run.run ->> 'repo_id' AND EXISTS (SELECT FROM refsync.webhook_targets t WHERE t.org_id = r.org_id);
    RETURN announce_run.run;
END $fn$;

-- The same for a run's row. Only processes of an older version, which may still be there, give it one with stats.
CREATE OR REPLACE FUNCTION refsync.announce_sync(s refsync.syncs) RETURNS jsonb LANGUAGE sql VOLATILE AS $fn$
    SELECT refsync.announce_run(
        refsync.sync_run(s), CASE WHEN s.stats IS NOT NULL THEN octet_length(s.stats::text) END)
$fn$;

-- Announces a change of a repository, whose head only Git knows, and gives the repository.
CREATE OR REPLACE FUNCTION refsync.announce_repo(r refsync.repos, type text, head_change_id text, more jsonb) RETURNS jsonb
LANGUAGE sql VOLATILE AS $fn$
    SELECT refsync.announce(r, r.id, announce_repo.type, more || jsonb_build_object('repo', jsonb_build_object(
        'id', r.id,
        'name', r.name,
        'default_bookmark', r.default_bookmark,
        'head_change_id', announce_repo.head_change_id,
        'created_at', refsync.rfc3339(r.created_at),
        'tags', r.tags)));
    SELECT refsync.repo(r)
$fn$;
