-- How many refs ended in each way.
CREATE OR REPLACE FUNCTION refsync.counts_of(stats jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'updated', count(*) FILTER (WHERE outcome = 'updated'),
        'unchanged', count(*) FILTER (WHERE outcome = 'unchanged'),
        'filtered', count(*) FILTER (WHERE outcome = 'filtered'),
        'rejected', count(*) FILTER (WHERE outcome = 'rejected'))
    FROM (SELECT ref ->> 'outcome' AS outcome FROM jsonb_array_elements(stats -> 'refs') ref) refs
$fn$;

-- The SyncRun of the API without its stats. It is one expression, which PostgreSQL puts into the statement: a function that is called
-- would get the whole row, for which the stats are read and copied.
CREATE OR REPLACE FUNCTION refsync.sync_run(s refsync.syncs) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
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
            WHEN s.unchanged IS NOT NULL THEN jsonb_build_object('counts',
                '{"updated": 0, "filtered": 0, "rejected": 0}' || jsonb_build_object('unchanged', s.unchanged) || coalesce(s.stats_counts, '{}'))
            -- The others are of older versions.
            WHEN s.stats_counts IS NOT NULL THEN jsonb_build_object(
                'counts', '{"updated": 0, "unchanged": 0, "filtered": 0, "rejected": 0}' || s.stats_counts)
            WHEN s.stats IS NOT NULL THEN jsonb_build_object('counts', refsync.counts_of(s.stats))
            ELSE '{}' END
        || CASE WHEN s.status = 'queued' AND s.attempt > 1
            THEN jsonb_build_object('next_attempt_at', refsync.rfc3339(s.run_after)) ELSE '{}' END
$fn$;

-- The stats of a run; null if it has none. Runs of an older version have their own.
CREATE OR REPLACE FUNCTION refsync.stats_of(s refsync.syncs) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT coalesce(s.stats, (SELECT r.stats FROM refsync.run_stats r WHERE r.id = s.stats_id))
$fn$;

-- The SyncRun of the API with its stats.
CREATE OR REPLACE FUNCTION refsync.sync_run_with_stats(s refsync.syncs) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT refsync.sync_run(s) || jsonb_build_object('stats', refsync.stats_of(s))
$fn$;

-- The event of a run's present state: only those keys that the run may not have any more at its end.
CREATE OR REPLACE FUNCTION refsync.run_event(s refsync.syncs) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'status', s.status,
        'attempt', s.attempt,
        'started_at', CASE WHEN s.finished_at IS NULL THEN refsync.rfc3339(s.started_at) END,
        'next_attempt_at', CASE WHEN s.status = 'queued' AND s.attempt > 1 THEN refsync.rfc3339(s.run_after) END))
$fn$;

-- All events of a run until now, in their order: each status that it had. Its history ends with the begin of its newest attempt.
-- After that, it can only have started and ended.
CREATE OR REPLACE FUNCTION refsync.run_events(s refsync.syncs) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT coalesce(s.history, '[{"status": "queued", "attempt": 1}]')
        || CASE WHEN s.started_at IS NOT NULL AND refsync.rfc3339(s.started_at) IS DISTINCT FROM s.history #>> '{-1,started_at}'
            THEN jsonb_build_array(jsonb_build_object(
                'status', 'in_progress', 'attempt', s.attempt, 'started_at', refsync.rfc3339(s.started_at)))
            ELSE '[]' END
        || CASE WHEN s.finished_at IS NOT NULL THEN jsonb_build_array(refsync.run_event(s)) ELSE '[]' END
$fn$;

-- How many bytes the stats of a run have as JSON; null if it has none.
CREATE OR REPLACE FUNCTION refsync.stats_bytes(s refsync.syncs) RETURNS int LANGUAGE sql STABLE AS $fn$
    SELECT coalesce(s.stats_bytes, octet_length(s.stats::text))
$fn$;

DROP FUNCTION IF EXISTS refsync.sync_run_without_stats(refsync.syncs);
