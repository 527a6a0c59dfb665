-- An id for a new repository: its Git repository is made under it before the row is there to be seen.
SELECT to_jsonb(refsync.new_id('repo'))::text AS row
