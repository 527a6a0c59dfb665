-- $1 sync id, $2 the lease, $3 its seconds, $4 how far the run is or null. Gives whether the run shall be stopped; no row
-- where the lease is another's by now, or the run is gone.
UPDATE refsync.syncs SET
    lease_expires_at = now() + make_interval(secs => $3::float8),
    progress = coalesce($4::jsonb, progress)
WHERE id = $1::text AND lease = $2::text
RETURNING to_jsonb(cancel_requested_at IS NOT NULL)::text AS row
