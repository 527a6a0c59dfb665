-- The metrics for operators. exact: counts up to this one are exact. Above it, a count is estimated from the size of its table or index,
-- as PostgreSQL's planner does.
WITH estimated AS (
    SELECT c.relname, CASE WHEN c.relpages > 0 AND c.reltuples > 0 THEN
        c.reltuples / c.relpages * (pg_relation_size(c.oid) / current_setting('block_size')::int) ELSE 0 END::bigint AS entries
    FROM pg_catalog.pg_class c
    WHERE c.relnamespace = 'refsync'::regnamespace
        AND c.relname IN ('syncs_queued', 'webhook_deliveries', 'webhook_deliveries_refused', 'repos')
), counted AS (
    SELECT 'syncs_queued' AS relname, (
        SELECT count(*) FROM (SELECT FROM refsync.syncs s WHERE s.status = 'queued' ORDER BY s.repo_id, s.seq LIMIT 1 + ($1::jsonb ->> 'exact')::int) c) AS entries
    UNION ALL
    SELECT 'webhook_deliveries', (SELECT count(*) FROM (SELECT FROM refsync.webhook_deliveries d ORDER BY d.seq LIMIT 1 + ($1::jsonb ->> 'exact')::int) c)
    UNION ALL
    SELECT 'webhook_deliveries_refused', (
        SELECT count(*) FROM (SELECT FROM refsync.webhook_deliveries d WHERE d.attempts > 1 ORDER BY d.seq LIMIT 1 + ($1::jsonb ->> 'exact')::int) c)
    UNION ALL
    SELECT 'repos', (SELECT count(*) FROM (SELECT FROM refsync.repos r ORDER BY r.seq LIMIT 1 + ($1::jsonb ->> 'exact')::int) c)
), known AS (
    SELECT jsonb_object_agg(c.relname, CASE WHEN c.entries <= ($1::jsonb ->> 'exact')::int THEN c.entries ELSE greatest(c.entries, e.entries) END) AS entries
    FROM counted c
    LEFT JOIN estimated e ON e.relname = c.relname
)
SELECT jsonb_build_object(
    'queued', known.entries -> 'syncs_queued',
    'in_progress', runs.in_progress,
    'lost', runs.lost,
    'oldest', coalesce(extract(epoch FROM now() - (
        -- The form of the condition in its index.
        SELECT s.run_after FROM refsync.syncs s
        WHERE (s.status || '') = 'queued' AND s.run_after <= now()
        ORDER BY s.run_after LIMIT 1)), 0)::float8::text,
    'deliveries', known.entries -> 'webhook_deliveries',
    'refused', known.entries -> 'webhook_deliveries_refused',
    'repos', known.entries -> 'repos')::text AS row
FROM known
CROSS JOIN (
    SELECT count(*) AS in_progress, count(*) FILTER (WHERE s.lease_expires_at <= now()) AS lost
    FROM refsync.syncs s WHERE s.status = 'in_progress') runs
