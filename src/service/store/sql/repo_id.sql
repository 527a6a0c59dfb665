-- An id for a new repository. The Git repository is made under this id before the row is added.
SELECT to_jsonb(refsync.new_id('repo'))::text AS row
