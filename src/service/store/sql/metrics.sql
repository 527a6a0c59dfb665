-- The metrics for operators.
SELECT jsonb_build_object(
    'queued', count(*) FILTER (WHERE s.status = 'queued'),
    'in_progress', count(*) FILTER (WHERE s.status = 'in_progress'),
    'lost', count(*) FILTER (WHERE s.status = 'in_progress' AND s.lease_expires_at <= now()),
    'oldest', coalesce(extract(epoch FROM now() - min(s.run_after) FILTER (WHERE s.status = 'queued' AND s.run_after <= now())), 0)::float8::text,
    'deliveries', (SELECT count(*) FROM refsync.webhook_deliveries),
    'refused', (SELECT count(*) FROM refsync.webhook_deliveries WHERE attempts > 1),
    'repos', (SELECT count(*) FROM refsync.repos))::text AS row
FROM refsync.syncs s
WHERE s.status IN ('queued', 'in_progress')
