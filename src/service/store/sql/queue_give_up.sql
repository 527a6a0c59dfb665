-- max_attempts: how many may be lost. Fails the runs that lost that many workers, because these runs may crash their
-- workers. Also fails runs without a worker that were cancelled.
UPDATE refsync.syncs SET
    status = 'failed',
    error = CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
        ELSE format('the worker was lost during the last of %s attempts', attempt) END,
    finished_at = now(),
    lease = NULL,
    lease_expires_at = NULL
WHERE status = 'in_progress' AND lease_expires_at <= now()
    AND (attempt >= ($1::jsonb ->> 'max_attempts')::int OR cancel_requested_at IS NOT NULL)
RETURNING refsync.announce_sync(syncs)::text AS row
