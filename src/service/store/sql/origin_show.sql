-- repo_id. Returns the repository's origin, with the sealed credential. No row if the service hosts it.
SELECT jsonb_build_object('url', r.origin_url, 'auth', r.origin_auth)::text AS row
FROM refsync.repos r
WHERE r.id = $1::jsonb ->> 'repo_id' AND r.origin_url IS NOT NULL
