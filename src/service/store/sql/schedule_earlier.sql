-- schedules: an array of {id, at, next}: repositories, the next time of each, and an earlier one that it shall have, in
-- milliseconds since 1970. Gives the ids of those whose next time still is that one.
UPDATE refsync.repos r SET schedule_at = to_timestamp(earlier.next / 1000)
FROM jsonb_to_recordset($1::jsonb -> 'schedules') AS earlier (id text, at bigint, next float8)
WHERE r.id = earlier.id AND floor(extract(epoch FROM r.schedule_at) * 1000)::bigint = earlier.at
RETURNING to_jsonb(r.id)::text AS row
