-- sync_id, lease. Puts a run back for another worker to take at once, as its next attempt: only a first attempt is unique
-- among identical ones that wait. One that shall be stopped ends. No row if the lease is another's by now.
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
