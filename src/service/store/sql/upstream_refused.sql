-- sync_id, lease, max_refusals: how many refusals in a row pause a schedule, reason: the text that is shown. Counts a
-- refusal of the credential by the upstream, and returns whether this paused the schedule. No row if the run is gone, or if
-- another worker has its lease now. The pause is announced.
UPDATE refsync.repos r SET
    upstream_refusals = r.upstream_refusals + 1,
    (upstream_paused_at, upstream_pause_reason) = (
        SELECT coalesce(r.upstream_paused_at, CASE WHEN pauses THEN now() END),
            coalesce(r.upstream_pause_reason, CASE WHEN pauses THEN $1::jsonb ->> 'reason' END)
        FROM (SELECT r.schedule IS NOT NULL AND r.upstream_refusals + 1 >= ($1::jsonb ->> 'max_refusals')::int AS pauses) decision)
FROM refsync.syncs s
WHERE s.repo_id = r.id AND s.id = $1::jsonb ->> 'sync_id' AND s.lease = $1::jsonb ->> 'lease'
RETURNING to_jsonb(CASE WHEN r.upstream_paused_at IS NOT DISTINCT FROM now() THEN refsync.announce_upstream(
    r, 'upstream.paused', jsonb_build_object('paused_at', refsync.rfc3339(r.upstream_paused_at), 'reason', r.upstream_pause_reason)) > 0
    ELSE false END)::text AS row
