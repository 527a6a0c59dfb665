-- $1 repository id. Where it lives, with the sealed credential; no row where the service hosts it.
SELECT jsonb_build_object('url', r.origin_url, 'auth', r.origin_auth)::text AS row
FROM refsync.repos r
WHERE r.id = $1::text AND r.origin_url IS NOT NULL
