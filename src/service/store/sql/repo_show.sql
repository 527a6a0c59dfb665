-- org_id, repo: the repository's id, or its name in any case.
SELECT refsync.repo(r)::text AS row
FROM refsync.repos r
WHERE r.org_id = $1::jsonb ->> 'org_id' AND (r.id = $1::jsonb ->> 'repo' OR lower(r.name) = lower($1::jsonb ->> 'repo'))
ORDER BY r.id = $1::jsonb ->> 'repo' DESC
LIMIT 1
