-- sync_id, lease. Queues a run again, so that another worker can take it at once. It becomes the next attempt, because only
-- a first attempt is unique among identical queued runs. A run that must stop ends instead. No row if the run is gone, or
-- if another worker has its lease now.
UPDATE refsync.syncs SET
    (status, attempt, error, started_at, finished_at, run_after) = (
        SELECT CASE WHEN ends THEN 'failed' ELSE 'queued' END,
            CASE WHEN ends THEN attempt ELSE attempt + 1 END,
            CASE WHEN ends THEN 'cancelled' END,
            CASE WHEN ends THEN started_at END,
            CASE WHEN ends THEN now() END,
            now()
        FROM (SELECT cancel_requested_at IS NOT NULL AS ends) decision),
    lease = NULL,
    lease_expires_at = NULL
WHERE id = $1::jsonb ->> 'sync_id' AND lease = $1::jsonb ->> 'lease'
RETURNING refsync.announce_sync(syncs)::text AS row
