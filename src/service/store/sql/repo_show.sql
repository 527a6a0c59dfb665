-- $1 organisation id, $2 the repository's id or its name in any case.
SELECT refsync.repo(r)::text AS row
FROM refsync.repos r
WHERE r.org_id = $1::text AND (r.id = $2::text OR lower(r.name) = lower($2::text))
ORDER BY r.id = $2::text DESC
LIMIT 1
