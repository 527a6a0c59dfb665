-- $1 repository id, $2 the last seq of the page before or null, $3 how many.
SELECT jsonb_build_object('seq', s.seq, 'item', refsync.sync_run(s))::text AS row
FROM refsync.syncs s
WHERE s.repo_id = $1::text AND s.seq < coalesce($2::bigint, 9223372036854775807)
ORDER BY s.seq DESC
LIMIT $3::int
