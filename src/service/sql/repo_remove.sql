-- $1 repository id. Its runs go with it; a worker that runs one finds its lease gone.
DELETE FROM refsync.repos WHERE id = $1::text RETURNING to_jsonb(id)::text AS row
