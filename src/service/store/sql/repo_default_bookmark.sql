-- repo_id. Returns the branch that its HEAD must name. No row if the repository was deleted.
SELECT to_jsonb(r.default_bookmark)::text AS row FROM refsync.repos r WHERE r.id = $1::jsonb ->> 'repo_id'
