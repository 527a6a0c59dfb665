-- sync_id, after: the seq of the last event that the follower has, or -1, api_key_id or null, public_key_id or null: the key of
-- the follower. Returns the events after it. While the run is in progress, also returns the run with its progress. Each run
-- is the text that is sent. No row if the run or the follower's key is gone.
SELECT jsonb_build_object(
    'events', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'seq', e.seq,
            -- An event of an older version has the whole run.
            'run', (CASE WHEN e.run ->> 'status' IN ('completed', 'failed') THEN refsync.sync_run(s) || e.run || jsonb_build_object('stats', s.stats)
                ELSE (refsync.sync_run(s) - '{counts,next_attempt_at}'::text[])
                    || '{"error": null, "started_at": null, "finished_at": null}' || e.run || '{"stats": null}' END)::text) ORDER BY e.seq)
        FROM refsync.sync_events e
        WHERE e.sync_id = s.id AND e.seq > ($1::jsonb ->> 'after')::bigint), '[]'),
    -- A run has no events if they are too old, or if it is from before events were stored. Then its present state is the only event. Its
    -- seq is 0.
    'run', CASE WHEN $1::jsonb -> 'after' <> '0' AND NOT EXISTS (SELECT FROM refsync.sync_events e WHERE e.sync_id = s.id)
        THEN refsync.sync_run_with_stats(s)::text END,
    'progress', CASE WHEN s.status = 'in_progress' AND s.progress IS NOT NULL THEN
        (refsync.sync_run(s) || jsonb_build_object('progress', s.progress))::text END,
    'ended', s.status IN ('completed', 'failed'))::text AS row
FROM refsync.syncs s
WHERE s.id = $1::jsonb ->> 'sync_id'
    AND ($1::jsonb ->> 'api_key_id' IS NULL OR EXISTS (
        SELECT FROM refsync.api_keys k WHERE k.id = $1::jsonb ->> 'api_key_id' AND (k.expires_at <= now()) IS NOT TRUE))
    AND ($1::jsonb ->> 'public_key_id' IS NULL OR EXISTS (
        SELECT FROM refsync.public_keys p WHERE p.id = $1::jsonb ->> 'public_key_id' AND (p.expires_at <= now()) IS NOT TRUE))
