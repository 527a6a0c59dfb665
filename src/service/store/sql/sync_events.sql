-- $1 sync id, $2 the seq of the last event that was seen. The events after it, and the run with how far it is, while it is on its
-- way: each run as the text that is sent. No row where the run is gone, or the key that asks: $3 the API key's id or null, $4 the public
-- key's id or null.
SELECT jsonb_build_object(
    'events', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'seq', e.seq,
            'run', (e.run || jsonb_build_object(
                'stats', CASE WHEN e.run ->> 'status' IN ('completed', 'failed') THEN s.stats END))::text) ORDER BY e.seq)
        FROM refsync.sync_events e
        WHERE e.sync_id = s.id AND e.seq > $2::bigint), '[]'),
    -- Told only of a run from before events were kept.
    'run', CASE WHEN $2::bigint = 0 THEN refsync.sync_run_with_stats(s)::text END,
    'progress', CASE WHEN s.status = 'in_progress' AND s.progress IS NOT NULL THEN
        (refsync.sync_run(s) || jsonb_build_object('progress', s.progress))::text END,
    'ended', s.status IN ('completed', 'failed'))::text AS row
FROM refsync.syncs s
WHERE s.id = $1::text
    AND ($3::text IS NULL OR EXISTS (
        SELECT FROM refsync.api_keys k WHERE k.id = $3::text AND (k.expires_at <= now()) IS NOT TRUE))
    AND ($4::text IS NULL OR EXISTS (
        SELECT FROM refsync.public_keys p WHERE p.id = $4::text AND (p.expires_at <= now()) IS NOT TRUE))
