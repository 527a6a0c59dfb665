-- $1 sync id, $2 the lease, $3 its seconds. No row where the lease is another's by now, or the run is gone.
UPDATE refsync.syncs SET lease_expires_at = now() + make_interval(secs => $3::float8)
WHERE id = $1::text AND lease = $2::text
RETURNING to_jsonb(id)::text AS row
