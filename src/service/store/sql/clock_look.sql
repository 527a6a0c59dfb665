-- The current time, in milliseconds since 1970; how many milliseconds the times of the newest run are ahead of it; by how many
-- milliseconds the clock was set back so far; and how many milliseconds the last known steady time is ahead of the present one.
WITH marked AS (
    UPDATE refsync.service SET clock_mark = now() + clock_back
    WHERE clock_mark IS NULL OR clock_mark < now() + clock_back - interval '1 min'
)
SELECT jsonb_build_object(
    'now', floor(extract(epoch FROM now()) * 1000)::bigint,
    'back', floor(extract(epoch FROM service.clock_back) * 1000)::bigint,
    'mark_ahead', coalesce(floor(extract(epoch FROM service.clock_mark - now() - service.clock_back) * 1000)::bigint, 0),
    'ahead', coalesce(floor(extract(epoch FROM newest.at - now()) * 1000)::bigint, 0))::text AS row
FROM refsync.service
LEFT JOIN (
    SELECT greatest(s.created_at, s.started_at, s.finished_at) AS at FROM refsync.syncs s ORDER BY s.seq DESC LIMIT 1) newest ON true
