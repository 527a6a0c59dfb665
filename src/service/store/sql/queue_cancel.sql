-- repo_id, sync_id. Ends a queued run. A run in progress is stopped by its worker. If the worker is lost, the run ends when
-- this is noticed. No row if there is no such run, or if it has ended.
UPDATE refsync.syncs SET
    cancel_requested_at = coalesce(cancel_requested_at, now()),
    (status, error, finished_at) = (
        SELECT CASE WHEN waits THEN 'failed' ELSE status END,
            CASE WHEN waits THEN 'cancelled' END,
            CASE WHEN waits THEN now() END
        FROM (SELECT status = 'queued' AS waits) decision)
WHERE repo_id = $1::jsonb ->> 'repo_id' AND id = $1::jsonb ->> 'sync_id' AND status IN ('queued', 'in_progress')
RETURNING (CASE status WHEN 'failed' THEN refsync.announce_sync(syncs) ELSE refsync.sync_run(syncs) END)::text AS row
