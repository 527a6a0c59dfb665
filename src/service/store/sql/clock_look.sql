-- The current time, in milliseconds since 1970, and how many milliseconds the times of the newest run are ahead of it.
SELECT jsonb_build_object(
    'now', floor(extract(epoch FROM now()) * 1000)::bigint,
    'ahead', coalesce(floor(extract(epoch FROM newest.at - now()) * 1000)::bigint, 0))::text AS row
FROM (VALUES (0)) one (n)
LEFT JOIN (
    SELECT greatest(s.created_at, s.started_at, s.finished_at) AS at FROM refsync.syncs s ORDER BY s.seq DESC LIMIT 1) newest ON true
