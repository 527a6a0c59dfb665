-- The globs of a run that nobody asked for: those of the schedule if it has the same direction, and otherwise all refs.
CREATE OR REPLACE FUNCTION refsync.trigger_globs(schedule jsonb, direction text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $fn$
    SELECT CASE WHEN schedule ->> 'direction' = trigger_globs.direction THEN schedule -> 'ref_globs'
        ELSE '{"branches": "*", "tags": "*"}' END
$fn$;

-- Queues a run for an event, such as a push, unless an identical one is queued already. It reads the refs after the event either way. A
-- run starts at least two seconds after the previous one was queued, so that many events make few runs. Gives whether a run was added.
CREATE OR REPLACE FUNCTION refsync.trigger_sync(r refsync.repos, direction text) RETURNS boolean LANGUAGE sql VOLATILE AS $fn$
    WITH asked AS (
        SELECT globs ->> 'branches' AS branches, globs ->> 'tags' AS tags
        FROM (SELECT refsync.trigger_globs(r.schedule, trigger_sync.direction) AS globs) globs
        -- The upstream has refused the credential several times.
        WHERE r.upstream_url IS NOT NULL AND r.upstream_paused_at IS NULL
    ), last AS (
        SELECT max(s.created_at) AS at
        FROM (
            SELECT s.created_at FROM refsync.syncs s
            WHERE s.repo_id = r.id AND s.direction = trigger_sync.direction ORDER BY s.seq DESC LIMIT 1) s
    ), added AS (
        INSERT INTO refsync.syncs (repo_id, direction, branches, tags, run_after)
        SELECT r.id, trigger_sync.direction, asked.branches, asked.tags,
            -- The last run is in the future if the clock was set back.
            CASE WHEN last.at BETWEEN now() - interval '2 seconds' AND now() THEN last.at + interval '2 seconds' ELSE now() END
        FROM asked CROSS JOIN last
        WHERE NOT EXISTS (
            SELECT FROM refsync.syncs s
            WHERE s.repo_id = r.id AND s.status = 'queued'
                AND s.direction = trigger_sync.direction AND s.branches = asked.branches AND s.tags = asked.tags)
        ON CONFLICT (repo_id, direction, branches, tags) WHERE status = 'queued' AND attempt = 1 DO NOTHING
        RETURNING refsync.announce_sync(syncs) AS run
    )
    SELECT count(*) > 0 FROM added
$fn$;

-- Announces a push into a hosted repository. `updates` is an array of {ref, before, after}. A large push is several events, because an
-- event has a thousand updates at most. Gives how many there are.
CREATE OR REPLACE FUNCTION refsync.announce_push(r refsync.repos, updates jsonb) RETURNS bigint LANGUAGE sql VOLATILE AS $fn$
    WITH listed AS (
        SELECT (n - 1) / 1000 AS part, jsonb_agg(jsonb_build_object(
            'ref', u ->> 'ref',
            'bookmark', regexp_replace(u ->> 'ref', '^refs/(heads|tags)/', ''),
            'before', u -> 'before',
            'after', u -> 'after',
            'action', CASE WHEN u ->> 'before' IS NULL THEN 'created' WHEN u ->> 'after' IS NULL THEN 'deleted' ELSE 'updated' END)
            ORDER BY n) AS updates
        FROM jsonb_array_elements(updates) WITH ORDINALITY listed (u, n)
        GROUP BY 1
    ), told AS (
        SELECT refsync.announce(r, r.id, 'push', jsonb_build_object('updates', listed.updates, 'reconciliation', jsonb_build_object(
            'reconciled_commit_count', 0, 'touched_change_count', 0, 'changes_created_count', 0,
            'evolog_inserted_count', 0, 'invalid_change_id_header_count', 0, 'dirty_change_skip_count', 0))), listed.part
        FROM (SELECT * FROM listed ORDER BY part) listed
    )
    SELECT count(told) FROM told
$fn$;
