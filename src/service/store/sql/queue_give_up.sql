-- max_attempts: how many may be lost. Looks for changes that came with time. Fails the runs that lost that many workers, because these
-- runs may crash their workers. Also fails runs without a worker that were cancelled. Gives a turn to the other runs without a worker, and
-- to runs whose time has come. Returns a line for the log for each failed run, and an empty text for each other one.
WITH without_worker AS (
    SELECT s.id, s.repo_id, s.attempt >= ($1::jsonb ->> 'max_attempts')::int OR s.cancel_requested_at IS NOT NULL AS ends
    FROM refsync.syncs s
    JOIN refsync.turns t ON t.repo_id = s.repo_id
    WHERE s.status = 'in_progress' AND s.lease_expires_at <= now()
        AND (t.state = 3 OR s.attempt >= ($1::jsonb ->> 'max_attempts')::int OR s.cancel_requested_at IS NOT NULL)
    FOR NO KEY UPDATE OF s, t SKIP LOCKED
), ended AS (
    UPDATE refsync.syncs s SET
        status = 'failed',
        error = CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
            ELSE format('the worker was lost during the last of %s attempts', attempt) END,
        finished_at = now(),
        lease = NULL,
        lease_expires_at = NULL
    FROM without_worker w
    WHERE s.id = w.id AND w.ends
    RETURNING format('sync %s gave up: it lost its worker %s times', s.id, s.attempt) AS line, refsync.announce_sync(s)
), ready AS (
    SELECT t.repo_id FROM refsync.turns t
    WHERE t.state = 1 AND t.run_after <= now()
    ORDER BY t.run_after
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
), turned AS (
    SELECT refsync.set_turn(repo_id) FROM (SELECT repo_id FROM ready UNION ALL SELECT repo_id FROM without_worker WHERE NOT ends) r
)
SELECT line AS row FROM ended
UNION ALL
SELECT set_turn::text FROM turned
