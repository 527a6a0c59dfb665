-- repo_id. Returns its upstream with the sealed credential. No row if it has none.
SELECT jsonb_build_object('url', r.upstream_url, 'auth', r.upstream_auth)::text AS row
FROM refsync.repos r
WHERE r.id = $1::jsonb ->> 'repo_id' AND r.upstream_url IS NOT NULL
