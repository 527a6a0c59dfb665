-- sync_id, after: the seq of the last event that was seen, api_key_id or null, public_key_id or null: the key that asks. Gives
-- the events after it, and the run with how far it is, while it is on its way: each run as the text that is sent. No row if the run
-- is gone, or the key that asks.
SELECT jsonb_build_object(
    'events', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'seq', e.seq,
            'run', (e.run || jsonb_build_object(
                'stats', CASE WHEN e.run ->> 'status' IN ('completed', 'failed') THEN s.stats END))::text) ORDER BY e.seq)
        FROM refsync.sync_events e
        WHERE e.sync_id = s.id AND e.seq > ($1::jsonb ->> 'after')::bigint), '[]'),
    -- Told only of a run from before events were kept.
    'run', CASE WHEN ($1::jsonb ->> 'after')::bigint = 0 THEN refsync.sync_run_with_stats(s)::text END,
    'progress', CASE WHEN s.status = 'in_progress' AND s.progress IS NOT NULL THEN
        (refsync.sync_run(s) || jsonb_build_object('progress', s.progress))::text END,
    'ended', s.status IN ('completed', 'failed'))::text AS row
FROM refsync.syncs s
WHERE s.id = $1::jsonb ->> 'sync_id'
    AND ($1::jsonb ->> 'api_key_id' IS NULL OR EXISTS (
        SELECT FROM refsync.api_keys k WHERE k.id = $1::jsonb ->> 'api_key_id' AND (k.expires_at <= now()) IS NOT TRUE))
    AND ($1::jsonb ->> 'public_key_id' IS NULL OR EXISTS (
        SELECT FROM refsync.public_keys p WHERE p.id = $1::jsonb ->> 'public_key_id' AND (p.expires_at <= now()) IS NOT TRUE))
