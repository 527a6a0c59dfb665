-- sync_id. Returns the status of a run. No row if it is gone.
SELECT to_jsonb(s.status)::text AS row FROM refsync.syncs s WHERE s.id = $1::jsonb ->> 'sync_id'
