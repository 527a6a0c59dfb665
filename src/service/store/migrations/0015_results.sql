-- How many refs of a run ended in each way, and how many bytes its stats have as JSON. Null if it has no stats, or is of an older
-- version.
ALTER TABLE refsync.syncs ADD COLUMN stats_counts jsonb;
ALTER TABLE refsync.syncs ADD COLUMN stats_bytes int;

-- The stats of a run can have many megabytes. A delivery leaves them in the run and takes them when it is sent; `bytes` says how
-- many they are.
ALTER TABLE refsync.webhook_deliveries ADD COLUMN takes_stats boolean NOT NULL DEFAULT false;
ALTER TABLE refsync.webhook_deliveries ADD COLUMN bytes int NOT NULL DEFAULT 0;
CREATE INDEX webhook_deliveries_stats ON refsync.webhook_deliveries (subject) WHERE takes_stats;

-- The stats of deleted runs, as long as there are deliveries that take them.
CREATE TABLE refsync.webhook_stats (
    sync_id text PRIMARY KEY,
    stats jsonb NOT NULL
);
CREATE FUNCTION refsync.leave_stats() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF EXISTS (SELECT FROM refsync.webhook_deliveries d WHERE d.takes_stats AND d.subject = OLD.id) THEN
        INSERT INTO refsync.webhook_stats (sync_id, stats) VALUES (OLD.id, OLD.stats);
    END IF;
    RETURN OLD;
END $fn$;
CREATE TRIGGER syncs_leave_stats BEFORE DELETE ON refsync.syncs
    FOR EACH ROW WHEN (OLD.stats IS NOT NULL) EXECUTE FUNCTION refsync.leave_stats();
CREATE FUNCTION refsync.drop_stats() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    DELETE FROM refsync.webhook_stats w
    WHERE w.sync_id = OLD.subject
        AND NOT EXISTS (SELECT FROM refsync.webhook_deliveries d WHERE d.takes_stats AND d.subject = OLD.subject);
    RETURN NULL;
END $fn$;
CREATE TRIGGER webhook_deliveries_drop_stats AFTER DELETE ON refsync.webhook_deliveries
    FOR EACH ROW WHEN (OLD.takes_stats) EXECUTE FUNCTION refsync.drop_stats();

-- How many refs ended in each way.
CREATE FUNCTION refsync.counts_of(stats jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'updated', count(*) FILTER (WHERE outcome = 'updated'),
        'unchanged', count(*) FILTER (WHERE outcome = 'unchanged'),
        'filtered', count(*) FILTER (WHERE outcome = 'filtered'),
        'rejected', count(*) FILTER (WHERE outcome = 'rejected'))
    FROM (SELECT ref ->> 'outcome' AS outcome FROM jsonb_array_elements(stats -> 'refs') ref) refs
$fn$;

-- The SyncRun of the API, whose stats are still to be put into it. It is one expression, which PostgreSQL puts into the statement: a
-- function that is called would get the whole row, for which the stats are read and copied.
CREATE FUNCTION refsync.sync_run_without_stats(s refsync.syncs) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'id', s.id,
        'repo_id', s.repo_id,
        'direction', s.direction,
        'status', s.status,
        'attempt', s.attempt,
        'ref_globs', jsonb_build_object('branches', s.branches, 'tags', s.tags),
        'stats', NULL,
        'error', s.error,
        'created_at', refsync.rfc3339(s.created_at),
        'started_at', refsync.rfc3339(s.started_at),
        'finished_at', refsync.rfc3339(s.finished_at))
        || CASE
            WHEN s.stats_counts IS NOT NULL THEN jsonb_build_object('counts', s.stats_counts)
            -- It is of an older version.
            WHEN s.stats IS NOT NULL THEN jsonb_build_object('counts', refsync.counts_of(s.stats))
            ELSE '{}' END
$fn$;

-- As before, and for an event whose data has a place for the stats of the sync `subject`, which have `stats_bytes` bytes.
DROP FUNCTION refsync.announce(refsync.repos, text, text, jsonb);
CREATE FUNCTION refsync.announce(r refsync.repos, subject text, type text, data jsonb, stats_bytes int DEFAULT NULL) RETURNS void
LANGUAGE sql VOLATILE AS $fn$
    WITH event AS MATERIALIZED (
        SELECT refsync.new_id('evt') AS id, refsync.rfc3339(clock_timestamp()) AS occurred_at
    )
    INSERT INTO refsync.webhook_deliveries (target_id, subject, envelope, takes_stats, bytes)
    SELECT t.id, announce.subject, jsonb_build_object(
        'id', event.id,
        'type', announce.type,
        'occurred_at', event.occurred_at,
        'organization', jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name),
        -- Delivery puts the service's own address before it.
        'repository', jsonb_build_object('id', r.id, 'name', r.name, 'url', format('/%s/%s.git', o.slug, r.name)),
        'data', announce.data), announce.stats_bytes IS NOT NULL, coalesce(announce.stats_bytes, 0)
    FROM refsync.webhook_targets t
    JOIN refsync.organizations o ON o.id = t.org_id
    CROSS JOIN event
    WHERE t.org_id = r.org_id
        AND t.events @> to_jsonb(announce.type)
        AND (t.repo_ids IS NULL OR t.repo_ids @> to_jsonb(r.id))
$fn$;

-- Announces the new status of a run, given as the API has it but without stats, and gives it. A run's row is not passed
-- on: PostgreSQL would copy its stats each time.
CREATE FUNCTION refsync.announce_run(run jsonb, stats_bytes int) RETURNS jsonb LANGUAGE sql VOLATILE AS $fn$
    INSERT INTO refsync.sync_events (sync_id, run) VALUES (run ->> 'id', run - 'stats');
    SELECT refsync.announce(
        r, run ->> 'id', 'sync.' || (run ->> 'status'), jsonb_build_object('sync', run), announce_run.stats_bytes)
    FROM refsync.repos r WHERE r.id = run ->> 'repo_id';
    SELECT run
$fn$;

-- The same for a run's row. Only processes of an older version, which may still be there, give it one with stats.
CREATE OR REPLACE FUNCTION refsync.announce_sync(s refsync.syncs) RETURNS jsonb LANGUAGE sql VOLATILE AS $fn$
    SELECT refsync.announce_run(
        refsync.sync_run_without_stats(s), CASE WHEN s.stats IS NOT NULL THEN octet_length(s.stats::text) END)
$fn$;
