-- $1 sync id, $2 the lease, $3 the error, $4 whether trying again may help, $5 how many attempts there are, $6 the seconds
-- until the next one; chance makes it half to one and a half of that.
-- No row where the lease is another's by now, or the run is gone.
UPDATE refsync.syncs SET
    (status, attempt, error, started_at, finished_at, run_after) = (
        SELECT CASE WHEN again THEN 'queued' ELSE 'failed' END,
            CASE WHEN again THEN attempt + 1 ELSE attempt END,
            -- A run that shall be stopped is not tried again.
            CASE WHEN again THEN NULL WHEN $4::text = 'true' AND cancel_requested_at IS NOT NULL THEN 'cancelled'
                ELSE $3::text END,
            CASE WHEN again THEN NULL ELSE started_at END,
            CASE WHEN again THEN NULL ELSE now() END,
            now() + make_interval(secs => $6::float8 * (0.5 + random()))
        FROM (SELECT $4::text = 'true' AND attempt < $5::int AND cancel_requested_at IS NULL AS again) decision),
    lease = NULL,
    lease_expires_at = NULL
WHERE id = $1::text AND lease = $2::text
RETURNING refsync.announce_sync(syncs)::text AS row
