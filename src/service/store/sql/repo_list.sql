-- org_id, after: the last seq of the previous page or null, limit, tags that the repositories must have, max_bytes. Returns
-- rows until they have that many bytes, and at least one row. Each row has its size in bytes, the size of the stats of its
-- newest run, and whether there is a row after it.
WITH page AS MATERIALIZED (
    SELECT r.seq, refsync.repo(r) AS item
    FROM refsync.repos r
    WHERE r.org_id = $1::jsonb ->> 'org_id' AND r.seq < coalesce(($1::jsonb ->> 'after')::bigint, 9223372036854775807)
        AND r.tags @> ($1::jsonb -> 'tags')
    ORDER BY r.seq DESC
    LIMIT ($1::jsonb ->> 'limit')::int
), sized AS (
    SELECT page.seq, page.item, own.bytes, lead(page.seq) OVER newest IS NOT NULL AS has_next,
        sum(own.bytes) OVER newest - own.bytes AS before
    FROM page
    CROSS JOIN LATERAL (SELECT octet_length(page.item::text) AS bytes) own
    WINDOW newest AS (ORDER BY page.seq DESC)
)
SELECT jsonb_build_object(
    'seq', sized.seq, 'item', sized.item, 'has_next', sized.has_next, 'bytes', sized.bytes,
    'stats_bytes', (
        SELECT refsync.stats_bytes(s) FROM refsync.syncs s
        WHERE s.id = sized.item #>> '{upstream,latest_sync,id}'))::text AS row
FROM sized
WHERE sized.before + sized.bytes <= ($1::jsonb ->> 'max_bytes')::int OR sized.before = 0
ORDER BY sized.seq DESC
