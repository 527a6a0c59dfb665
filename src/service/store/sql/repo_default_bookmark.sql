-- $1 repository id. The branch that its HEAD shall name; no row where it was deleted.
SELECT to_jsonb(r.default_bookmark)::text AS row FROM refsync.repos r WHERE r.id = $1::text
