-- repo_id. Gives the branch that its HEAD shall name. No row if the repository was deleted.
SELECT to_jsonb(r.default_bookmark)::text AS row FROM refsync.repos r WHERE r.id = $1::jsonb ->> 'repo_id'
