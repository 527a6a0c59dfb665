-- sync_id, after: the seq of the last event that the follower has, or -1, api_key_id or null, public_key_id or null: the key of
-- the follower. Returns the events after it. While the run is in progress, also returns the run with its progress. Each run
-- is the text that is sent. No row if the run or the follower's key is gone.
SELECT jsonb_build_object(
    'events', (
        -- An event that this run does not have, such as one of another database: the follower gets the last event.
        SELECT coalesce(jsonb_agg(jsonb_build_object('seq', e.seq, 'run', (CASE
            WHEN e.event ->> 'status' IN ('completed', 'failed')
                THEN refsync.sync_run(s) || e.event || jsonb_build_object('stats', refsync.stats_of(s))
            ELSE (refsync.sync_run(s) - '{counts,next_attempt_at}'::text[])
                || '{"error": null, "started_at": null, "finished_at": null}' || e.event || '{"stats": null}' END)::text)
            ORDER BY e.seq) FILTER (WHERE e.seq > ($1::jsonb ->> 'after')::bigint OR e.is_last AND e.seq < ($1::jsonb ->> 'after')::bigint), '[]')
        FROM (
            SELECT all_events.*, all_events.seq = max(all_events.seq) OVER () AS is_last FROM (
                -- Processes of an older version stored these.
                SELECT old.seq, old.run AS event FROM refsync.sync_events old WHERE old.sync_id = s.id
                UNION ALL
                SELECT old.last + told.place - old.count, told.event
                FROM (SELECT count(*) AS count, coalesce(max(old.seq), 0) AS last FROM refsync.sync_events old WHERE old.sync_id = s.id) old
                CROSS JOIN jsonb_array_elements(refsync.run_events(s)) WITH ORDINALITY told (event, place)
                WHERE told.place > old.count) all_events) e),
    'progress', CASE WHEN s.status = 'in_progress' AND s.progress IS NOT NULL THEN
        (refsync.sync_run(s) || jsonb_build_object('progress', s.progress))::text END,
    'ended', s.status IN ('completed', 'failed'))::text AS row
FROM refsync.syncs s
WHERE s.id = $1::jsonb ->> 'sync_id'
    AND ($1::jsonb ->> 'api_key_id' IS NULL OR EXISTS (
        SELECT FROM refsync.api_keys k WHERE k.id = $1::jsonb ->> 'api_key_id' AND (k.expires_at <= now()) IS NOT TRUE))
    AND ($1::jsonb ->> 'public_key_id' IS NULL OR EXISTS (
        SELECT FROM refsync.public_keys p WHERE p.id = $1::jsonb ->> 'public_key_id' AND (p.expires_at <= now()) IS NOT TRUE))
