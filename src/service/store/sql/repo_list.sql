-- org_id, after: the last seq of the previous page or null, limit, tags that the repositories must have, max_bytes. Returns
-- rows until they have that many bytes, and at least one row. Each row has its size in bytes, the size of the stats of its
-- newest run, and whether there is a row after it.
-- If many repositories have the tags, the newest 1,000 repositories fill the page. Otherwise the index of tags finds the rest.
WITH newest AS MATERIALIZED (
    SELECT r.seq, r.tags @> ($1::jsonb -> 'tags') AS fits
    FROM refsync.repos r
    WHERE r.org_id = $1::jsonb ->> 'org_id' AND r.seq < coalesce(($1::jsonb ->> 'after')::bigint, 9223372036854775807)
    ORDER BY r.seq DESC
    LIMIT CASE WHEN $1::jsonb -> 'tags' = '{}' THEN ($1::jsonb ->> 'limit')::int ELSE greatest(1000, ($1::jsonb ->> 'limit')::int) END
), found AS MATERIALIZED (
    (SELECT newest.seq FROM newest WHERE newest.fits ORDER BY newest.seq DESC LIMIT ($1::jsonb ->> 'limit')::int)
    UNION ALL
    (SELECT r.seq
    FROM refsync.repos r
    WHERE (SELECT count(*) FILTER (WHERE newest.fits) < ($1::jsonb ->> 'limit')::int
            AND count(*) = greatest(1000, ($1::jsonb ->> 'limit')::int) FROM newest)
        AND r.org_id = $1::jsonb ->> 'org_id' AND r.seq < (SELECT min(newest.seq) FROM newest)
        AND r.tags @> ($1::jsonb -> 'tags')
    ORDER BY r.seq DESC
    LIMIT ($1::jsonb ->> 'limit')::int)
), page AS MATERIALIZED (
    SELECT r.seq, refsync.repo(r) AS item
    FROM (SELECT found.seq FROM found ORDER BY found.seq DESC LIMIT ($1::jsonb ->> 'limit')::int) found
    JOIN refsync.repos r ON r.seq = found.seq
    ORDER BY r.seq DESC
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
