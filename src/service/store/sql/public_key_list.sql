-- org_id, after: the last seq of the previous page or null, limit.
SELECT jsonb_build_object('seq', k.seq, 'item', refsync.public_key(k))::text AS row
FROM refsync.public_keys k
WHERE k.org_id = $1::jsonb ->> 'org_id' AND k.seq < coalesce(($1::jsonb ->> 'after')::bigint, 9223372036854775807)
ORDER BY k.seq DESC
LIMIT ($1::jsonb ->> 'limit')::int
