-- $1 sync id, $2 the lease, $3 the stats. No row where the lease is another's by now, or the run is gone.
UPDATE refsync.syncs
SET status = 'completed', stats = $3::jsonb, finished_at = now(), lease = NULL, lease_expires_at = NULL
WHERE id = $1::text AND lease = $2::text
RETURNING refsync.announce_sync(syncs)::text AS row
