-- schedules: an array of {id, at, next}: a repository, its stored next time, and an earlier one that replaces it, in
-- milliseconds since 1970. Returns the ids of the repositories whose stored next time was still the given one.
UPDATE refsync.repos r SET schedule_at = to_timestamp(earlier.next / 1000)
FROM jsonb_to_recordset($1::jsonb -> 'schedules') AS earlier (id text, at bigint, next float8)
WHERE r.id = earlier.id AND floor(extract(epoch FROM r.schedule_at) * 1000)::bigint = earlier.at
RETURNING to_jsonb(r.id)::text AS row
