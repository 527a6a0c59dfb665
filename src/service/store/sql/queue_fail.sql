-- sync_id, lease, error, is_transient: whether a retry may help, max_attempts, backoff_seconds: how long the next attempt
-- waits. The wait is this number times a random factor from 0.5 to 1.5. No row if the run is gone, or if another worker has
-- its lease now.
UPDATE refsync.syncs SET
    (status, attempt, error, started_at, finished_at, run_after) = (
        SELECT CASE WHEN again THEN 'queued' ELSE 'failed' END,
            CASE WHEN again THEN attempt + 1 ELSE attempt END,
            -- A run that must stop is not retried.
            CASE WHEN again THEN NULL WHEN ($1::jsonb ->> 'is_transient')::boolean AND cancel_requested_at IS NOT NULL THEN 'cancelled'
                ELSE $1::jsonb ->> 'error' END,
            CASE WHEN again THEN NULL ELSE started_at END,
            CASE WHEN again THEN NULL ELSE now() END,
            now() + make_interval(secs => ($1::jsonb ->> 'backoff_seconds')::float8 * (0.5 + random()))
        FROM (SELECT ($1::jsonb ->> 'is_transient')::boolean AND cancel_requested_at IS NULL
            AND attempt < ($1::jsonb ->> 'max_attempts')::int AS again) decision),
    lease = NULL,
    lease_expires_at = NULL
WHERE id = $1::jsonb ->> 'sync_id' AND lease = $1::jsonb ->> 'lease'
RETURNING refsync.announce_sync(syncs)::text AS row
