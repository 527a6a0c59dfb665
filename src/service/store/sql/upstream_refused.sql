-- $1 sync id, $2 the lease, $3 how many refusals in a row pause a schedule, $4 the reason to tell. Counts that the upstream
-- refused the credential; gives whether this paused the schedule. No row where the lease is another's by now.
UPDATE refsync.repos r SET
    upstream_refusals = r.upstream_refusals + 1,
    (upstream_paused_at, upstream_pause_reason) = (
        SELECT coalesce(r.upstream_paused_at, CASE WHEN pauses THEN now() END),
            coalesce(r.upstream_pause_reason, CASE WHEN pauses THEN $4::text END)
        FROM (SELECT r.schedule IS NOT NULL AND r.upstream_refusals + 1 >= $3::int AS pauses) decision)
FROM refsync.syncs s
WHERE s.repo_id = r.id AND s.id = $1::text AND s.lease = $2::text
RETURNING to_jsonb(r.upstream_paused_at IS NOT DISTINCT FROM now())::text AS row
