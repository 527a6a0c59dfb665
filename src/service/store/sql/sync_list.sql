-- repo_id, after: the last seq of the previous page or null, limit. Returns the runs without their stats. Each row has its
-- size in bytes, and the size of its stats.
SELECT jsonb_build_object(
    'seq', page.seq, 'item', page.item, 'bytes', octet_length(page.item::text), 'stats_bytes', page.stats_bytes)::text AS row
FROM (
    SELECT s.seq, refsync.sync_run(s) AS item, refsync.stats_bytes(s) AS stats_bytes
    FROM refsync.syncs s
    WHERE s.repo_id = $1::jsonb ->> 'repo_id' AND s.seq < coalesce(($1::jsonb ->> 'after')::bigint, 9223372036854775807)
    ORDER BY s.seq DESC
    LIMIT ($1::jsonb ->> 'limit')::int) page
ORDER BY page.seq DESC
