-- sync_id, lease, lease_seconds. $2 how far the run is, or JSON's null. Gives whether the run shall be stopped. No row if
-- the lease is another's by now, or the run is gone.
UPDATE refsync.syncs SET
    lease_expires_at = now() + make_interval(secs => ($1::jsonb ->> 'lease_seconds')::float8),
    progress = coalesce(nullif($2::jsonb, 'null'), progress)
WHERE id = $1::jsonb ->> 'sync_id' AND lease = $1::jsonb ->> 'lease'
RETURNING to_jsonb(cancel_requested_at IS NOT NULL)::text AS row
