-- sync_id, after: the seq of the last event that the follower has, api_key_id or null, public_key_id or null: the key of
-- the follower. Returns the events after it. While the run is in progress, also returns the run with its progress. Each run
-- is the text that is sent. No row if the run or the follower's key is gone.
SELECT jsonb_build_object(
    'events', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'seq', e.seq,
            'run', (e.run || jsonb_build_object(
                'stats', CASE WHEN e.run ->> 'status' IN ('completed', 'failed') THEN s.stats END))::text) ORDER BY e.seq)
        FROM refsync.sync_events e
        WHERE e.sync_id = s.id AND e.seq > ($1::jsonb ->> 'after')::bigint), '[]'),
    -- Returned only for a run from before events were stored.
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
