-- $1 organisation id, $2 the last seq of the page before or null, $3 how many, $4 tags that they must have.
SELECT jsonb_build_object('seq', r.seq, 'item', refsync.repo(r))::text AS row
FROM refsync.repos r
WHERE r.org_id = $1::text AND r.seq < coalesce($2::bigint, 9223372036854775807) AND r.tags @> $4::jsonb
ORDER BY r.seq DESC
LIMIT $3::int
