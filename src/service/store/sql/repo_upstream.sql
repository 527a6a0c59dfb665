-- $1 repository id. Its upstream with the sealed credential; no row where it has none.
SELECT jsonb_build_object('url', r.upstream_url, 'auth', r.upstream_auth)::text AS row
FROM refsync.repos r
WHERE r.id = $1::text AND r.upstream_url IS NOT NULL
