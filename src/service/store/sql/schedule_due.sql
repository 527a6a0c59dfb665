-- The due schedules, and the current time, in milliseconds since 1970.
SELECT jsonb_build_object(
    'id', r.id, 'at', r.schedule_at, 'schedule', r.schedule,
    'now', floor(extract(epoch FROM now()) * 1000)::bigint)::text AS row
FROM refsync.repos r
WHERE r.schedule_at <= now() AND r.upstream_paused_at IS NULL
ORDER BY r.schedule_at
LIMIT 100
