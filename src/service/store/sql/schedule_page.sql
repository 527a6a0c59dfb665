-- after: the last id of the previous page, or an empty text. Returns the schedules that are not paused, and the next time
-- of each, in milliseconds since 1970.
SELECT jsonb_build_object(
    'id', r.id, 'at', floor(extract(epoch FROM r.schedule_at) * 1000)::bigint, 'schedule', r.schedule)::text AS row
FROM refsync.repos r
WHERE r.id > $1::jsonb ->> 'after' AND r.schedule_at IS NOT NULL AND r.upstream_paused_at IS NULL
ORDER BY r.id
LIMIT 500
