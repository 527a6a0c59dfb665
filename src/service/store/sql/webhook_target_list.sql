-- org_id, after: the last seq of the previous page or null, limit.
SELECT jsonb_build_object('seq', t.seq, 'item', refsync.webhook_target(t))::text AS row
FROM refsync.webhook_targets t
WHERE t.org_id = $1::jsonb ->> 'org_id' AND t.seq < coalesce(($1::jsonb ->> 'after')::bigint, 9223372036854775807)
ORDER BY t.seq DESC
LIMIT ($1::jsonb ->> 'limit')::int
