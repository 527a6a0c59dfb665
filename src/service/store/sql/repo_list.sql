-- $1 organisation id, $2 the last seq of the page before or null, $3 how many, $4 tags that they must have, $5 how many bytes. The rows
-- until that many bytes are full, and at least one; with each whether there is one behind it, how many bytes it has, and how many the
-- stats of its newest run have.
WITH page AS MATERIALIZED (
    SELECT r.seq, refsync.repo(r) AS item
    FROM refsync.repos r
    WHERE r.org_id = $1::text AND r.seq < coalesce($2::bigint, 9223372036854775807) AND r.tags @> $4::jsonb
    ORDER BY r.seq DESC
    LIMIT $3::int
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
WHERE sized.before + sized.bytes <= $5::int OR sized.before = 0
ORDER BY sized.seq DESC
