-- Checks the promises of upstreams that are due, and announces each change: an upstream is stale, or it is fresh again.
-- - limit: how many are checked.
-- No row if there are no more.
WITH due AS MATERIALIZED (
    SELECT r.id, refsync.steady(NULL) AS steady, r.upstream_stale_at IS NOT NULL AS was_stale,
        -- Before the first sync, it may take as long. But only a sync ends a stale state.
        greatest(r.upstream_verified_steady, CASE WHEN r.upstream_stale_at IS NULL THEN r.upstream_watched_from END)
            + r.upstream_max_age::interval AS stale_after,
        r.damage IS NOT NULL AS is_damaged
    FROM refsync.repos r
    WHERE r.upstream_check_at <= refsync.steady(NULL)
    ORDER BY r.upstream_check_at
    LIMIT ($1::jsonb ->> 'limit')::int
    -- Other processes pass over these rows.
    FOR NO KEY UPDATE OF r SKIP LOCKED
), checked AS (
    UPDATE refsync.repos r SET
        upstream_stale_at = CASE WHEN now_stale.is_stale THEN coalesce(r.upstream_stale_at, now()) END,
        upstream_check_at = CASE WHEN NOT now_stale.is_stale THEN due.stale_after END
    FROM due
    CROSS JOIN LATERAL (SELECT due.is_damaged OR (due.stale_after < due.steady) IS NOT FALSE AS is_stale) now_stale
    WHERE r.id = due.id
    RETURNING CASE WHEN now_stale.is_stale <> due.was_stale THEN refsync.announce_upstream(
        r, CASE WHEN now_stale.is_stale THEN 'upstream.stale' ELSE 'upstream.recovered' END,
        refsync.freshness(r, r.upstream_max_age, due.steady)) END AS told
)
SELECT 'null' AS row FROM checked HAVING count(*) = ($1::jsonb ->> 'limit')::int
