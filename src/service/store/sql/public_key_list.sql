-- $1 organisation id, $2 the last seq of the page before or null, $3 how many.
SELECT jsonb_build_object('seq', k.seq, 'item', refsync.public_key(k))::text AS row
FROM refsync.public_keys k
WHERE k.org_id = $1::text AND k.seq < coalesce($2::bigint, 9223372036854775807)
ORDER BY k.seq DESC
LIMIT $3::int
