-- limit. Due schedules, and the current time, in milliseconds since 1970. They are a random part of those that are due longest, so that
-- processes that look at the same time rarely take the same ones.
SELECT jsonb_build_object(
    'id', due.id, 'at', due.schedule_at, 'schedule', due.schedule,
    'now', floor(extract(epoch FROM now()) * 1000)::bigint)::text AS row
FROM (
    SELECT r.id, r.schedule_at, r.schedule
    FROM refsync.repos r
    WHERE r.schedule_at <= now() AND r.upstream_paused_at IS NULL
    ORDER BY r.schedule_at
    LIMIT ($1::jsonb ->> 'limit')::int * 4) due
ORDER BY random()
LIMIT ($1::jsonb ->> 'limit')::int
