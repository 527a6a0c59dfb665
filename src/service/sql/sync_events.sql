-- $1 sync id, $2 the seq of the last event that was seen. The events after it, and how far the run is; no row where the run
-- is gone.
SELECT jsonb_build_object(
    'events', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'seq', e.seq,
            'run', e.run || jsonb_build_object(
                'stats', CASE WHEN e.run ->> 'status' IN ('completed', 'failed') THEN s.stats END)) ORDER BY e.seq)
        FROM refsync.sync_events e
        WHERE e.sync_id = s.id AND e.seq > $2::bigint), '[]'),
    'run', refsync.sync_run(s),
    'progress', CASE WHEN s.status = 'in_progress' THEN s.progress END,
    'ended', s.status IN ('completed', 'failed'))::text AS row
FROM refsync.syncs s
WHERE s.id = $1::text
