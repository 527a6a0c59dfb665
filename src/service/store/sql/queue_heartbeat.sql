-- sync_id, lease, lease_seconds. $2: the run's progress, or JSON's null. Returns whether the run must stop. No row if the
-- run is gone, or if another worker has its lease now.
UPDATE refsync.syncs SET
    lease_expires_at = now() + make_interval(secs => ($1::jsonb ->> 'lease_seconds')::float8),
    progress = coalesce(nullif($2::jsonb, 'null'), progress)
WHERE id = $1::jsonb ->> 'sync_id' AND lease = $1::jsonb ->> 'lease'
RETURNING to_jsonb(cancel_requested_at IS NOT NULL)::text AS row
