-- $1 how many attempts may be lost. Fails the runs whose workers were lost that often: they may be what kills them.
UPDATE refsync.syncs SET
    status = 'failed',
    error = format('the worker was lost during the last of %s attempts', attempt),
    finished_at = now(),
    lease = NULL,
    lease_expires_at = NULL
WHERE status = 'in_progress' AND lease_expires_at <= now() AND attempt >= $1::int
RETURNING refsync.sync_run(syncs)::text AS row
