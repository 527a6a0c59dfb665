-- $1 organisation id, $2 the last seq of the page before or null, $3 how many.
SELECT jsonb_build_object('seq', t.seq, 'item', refsync.webhook_target(t))::text AS row
FROM refsync.webhook_targets t
WHERE t.org_id = $1::text AND t.seq < coalesce($2::bigint, 9223372036854775807)
ORDER BY t.seq DESC
LIMIT $3::int
