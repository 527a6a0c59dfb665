-- Claims the next run that may start, or a run whose worker was lost: organisations and hosts with fewer runs in progress come first, then
-- the run that has waited longest. No row if there is no such run. Fails with a unique violation if another worker took the same repository
-- or the same place at this moment. The keys of `asked` are those of `queue_claim.sql`.
--
-- It reads a bounded number of index entries, however many runs are queued or in progress:
-- - A line has the turns of one organisation and host, in their order. The first turns of up to 16 lines are looked at. If there are more
--   lines, half of them come after a random point, so every line gets its chance. If an organisation has more than four lines, up to
--   eight of them are looked at: four, and four after a random point.
-- - If more than 48 runs are in progress, 48 of them are counted, chosen at random. The last lane counts all of them.
-- - The best four lines give 16 turns together, for workers that claim at the same time.
--
-- Each row that it locks, it locks without waiting, and it holds no other lock meanwhile. So claims never wait for each other.
--
-- The settings choose the indexes even if the tables were small when the session made its plans. To plan or to compile a statement takes
-- longer than to run it.
CREATE OR REPLACE FUNCTION refsync.claim(asked jsonb) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE ROWS 1
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $fn$
DECLARE
    max_runs int := asked ->> 'max_runs';
    max_runs_of_org int := asked ->> 'max_runs_of_org';
    is_last_lane boolean := asked ->> 'is_last_lane';
    lowest uuid := CASE WHEN (asked ->> 'only_origins')::boolean THEN '8' ELSE '0' END || repeat('0', 31);
    start uuid := md5(random()::text);
    -- The second half of a line.
    within text := right(start::text, 17);
    sample text := substr(start::text, 20, 9);
    is_full boolean := max_runs IS NOT NULL AND max_runs <= (SELECT count(*) FROM (SELECT FROM refsync.turns t WHERE t.state >= 2 LIMIT max_runs) counted);
    candidate record;
    run_id text;
BEGIN
    FOR candidate IN
        WITH RECURSIVE lines AS (
            SELECT arc.behind, arc.until, 0 AS of_org, ''::text AS org_id, ''::text AS host, 0 AS state, lowest AS line, 0::bigint AS seq
            FROM (VALUES (start, 'ffffffffffffffffffffffffffffffff'::uuid), (lowest, start)) arc (behind, until)
            UNION ALL
            SELECT CASE
                    WHEN t.org_id <> l.org_id OR l.of_org NOT IN (3, 7) THEN t.line
                    WHEN l.of_org = 3 THEN greatest(t.line, (left(t.line::text, 19) || within)::uuid)
                    ELSE (left(t.line::text, 19) || 'ffff-ffffffffffff')::uuid END,
                l.until, CASE WHEN t.org_id = l.org_id THEN l.of_org + 1 ELSE 1 END, t.*
            FROM lines l
            CROSS JOIN LATERAL (
                SELECT t.org_id, t.host, t.state, t.line, t.seq FROM refsync.turns t
                WHERE t.state IN (0, 2) AND t.line > l.behind AND t.line <= l.until AND t.line >= lowest
                ORDER BY t.line, t.seq
                LIMIT 1) t
        ), busy AS MATERIALIZED (
            SELECT jsonb_object_agg(name, runs) AS runs FROM (
                SELECT of.name, count(*) AS runs
                FROM (
                    (SELECT t.org_id, t.host FROM refsync.turns t WHERE t.state = 3 AND right(t.sync_id, 9) >= sample
                    ORDER BY right(t.sync_id, 9) LIMIT CASE WHEN is_last_lane THEN 10000 ELSE 48 END)
                    UNION ALL
                    (SELECT t.org_id, t.host FROM refsync.turns t WHERE t.state = 3 AND right(t.sync_id, 9) < sample
                    ORDER BY right(t.sync_id, 9) LIMIT CASE WHEN is_last_lane THEN 10000 ELSE 48 END)
                    LIMIT CASE WHEN is_last_lane THEN 20000 ELSE 48 END) t
                CROSS JOIN LATERAL (VALUES (t.org_id), ('host ' || t.host)) of (name)
                WHERE of.name IS NOT NULL
                GROUP BY 1) counted
        ), best AS MATERIALIZED (
            SELECT l.line, l.state, load.org + load.host AS load, l.seq
            FROM (SELECT * FROM lines LIMIT 18) l
            CROSS JOIN busy
            CROSS JOIN LATERAL (SELECT coalesce((busy.runs ->> l.org_id)::int, 0) AS org,
                coalesce((busy.runs ->> ('host ' || l.host))::int, 0) AS host OFFSET 0) load
            WHERE l.of_org > 0
                AND (NOT is_last_lane OR load.host = 0 AND (load.org = 0
                    OR NOT EXISTS (SELECT FROM refsync.organizations other WHERE other.id <> l.org_id)))
                -- A run whose worker was lost still has its place.
                AND (l.state = 2 OR NOT is_full AND (max_runs_of_org IS NULL OR max_runs_of_org > (
                    SELECT count(*) FROM (
                        SELECT FROM refsync.turns t WHERE t.state >= 2 AND t.org_id = l.org_id LIMIT max_runs_of_org) counted)))
            ORDER BY 3, 4
            LIMIT 4
        )
        SELECT t.sync_id
        FROM best
        CROSS JOIN LATERAL (
            SELECT t.sync_id, t.seq FROM refsync.turns t
            WHERE t.line = best.line AND t.state IN (0, 2)
            ORDER BY t.line, t.seq
            LIMIT (SELECT 16 / count(*) FROM best)) t
        ORDER BY best.load, t.seq
    LOOP
        -- It may have changed since.
        SELECT s.id INTO run_id FROM refsync.syncs s
        WHERE s.id = candidate.sync_id AND (s.status = 'queued' AND s.run_after <= now()
            OR s.status = 'in_progress' AND s.lease_expires_at <= now() AND s.cancel_requested_at IS NULL
                AND s.attempt < (asked ->> 'max_attempts')::int)
        FOR NO KEY UPDATE SKIP LOCKED;
        EXIT WHEN FOUND;
    END LOOP;
    RETURN QUERY
    UPDATE refsync.syncs s SET
        status = 'in_progress',
        attempt = s.attempt + CASE s.status WHEN 'in_progress' THEN 1 ELSE 0 END,
        -- Random free places, so that workers that claim at the same time rarely choose the same ones.
        slot = CASE WHEN s.status = 'in_progress' THEN s.slot WHEN max_runs IS NOT NULL THEN (
            SELECT n FROM generate_series(1, max_runs) n
            WHERE NOT EXISTS (SELECT FROM refsync.syncs o WHERE o.status = 'in_progress' AND o.slot = n)
            ORDER BY random() LIMIT 1) END,
        org_slot = CASE WHEN s.status = 'in_progress' THEN s.org_slot WHEN max_runs_of_org IS NOT NULL THEN (
            SELECT format('%s %s', r.org_id, n) FROM generate_series(1, max_runs_of_org) n
            WHERE NOT EXISTS (SELECT FROM refsync.syncs o WHERE o.status = 'in_progress' AND o.org_slot = format('%s %s', r.org_id, n))
            ORDER BY random() LIMIT 1) END,
        started_at = now(),
        started_steady = now() + (SELECT clock_back FROM refsync.service),
        upstream_epoch = r.upstream_epoch,
        progress = NULL,
        lease = asked ->> 'lease',
        lease_expires_at = now() + make_interval(secs => (asked ->> 'lease_seconds')::float8)
    FROM refsync.repos r
    JOIN refsync.organizations o ON o.id = r.org_id
    WHERE s.id = run_id AND r.id = s.repo_id
    RETURNING jsonb_build_object(
        'run', refsync.announce_run(refsync.sync_run(s), NULL), 'repo_name', r.name, 'org', o.slug,
        -- Most upstreams have the default policy. The function would be planned for each claim.
        'policy', CASE WHEN r.upstream_policy IS NULL AND s.policy IS NULL
                AND NOT EXISTS (SELECT FROM refsync.held h WHERE h.repo_id = s.repo_id AND h.direction = s.direction)
            THEN '{"engine": "{}", "holds": false}'::jsonb
            ELSE refsync.task_policy(s.repo_id, s.direction, refsync.policy(r.upstream_policy, s.policy)) END,
        'is_damaged', r.damage IS NOT NULL, 'upstream_url', r.upstream_url, 'upstream_auth', r.upstream_auth,
        'origin', CASE WHEN r.origin_url IS NOT NULL THEN jsonb_build_object('url', r.origin_url, 'auth', r.origin_auth) END,
        'default_branch', jsonb_build_object('name', r.default_bookmark, 'asked_for', r.default_bookmark_asked_for))::text;
END $fn$;
