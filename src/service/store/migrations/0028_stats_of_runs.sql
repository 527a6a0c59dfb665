-- The events of open runs that an older version stored. This comes first, because the rest locks the table.
UPDATE refsync.syncs s SET history = old.events
FROM (
    SELECT open.id, jsonb_agg(jsonb_strip_nulls(jsonb_build_object('status', e.run -> 'status', 'attempt', e.run -> 'attempt',
        'started_at', e.run -> 'started_at', 'next_attempt_at', e.run -> 'next_attempt_at')) ORDER BY e.seq) AS events
    FROM (
        SELECT q.id FROM refsync.syncs q WHERE q.status = 'queued' AND q.attempt > 1
        UNION ALL
        SELECT p.id FROM refsync.syncs p WHERE p.status = 'in_progress' AND p.attempt > 1) open
    JOIN refsync.sync_events e ON e.sync_id = open.id
    GROUP BY open.id) old
WHERE s.id = old.id;

-- Before this, `upgrade.ts` builds the index if the table is large. It takes few bytes for each run, because PostgreSQL stores equal values
-- once.
CREATE INDEX IF NOT EXISTS syncs_of_stats ON refsync.syncs (stats_id) WHERE stats_id IS NOT NULL;

-- The stats that no run refers to any more go. The runs that this statement deletes cannot be seen here.
CREATE FUNCTION refsync.drop_run_stats() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    DELETE FROM refsync.run_stats r
    USING (SELECT DISTINCT gone.stats_id AS id FROM gone WHERE gone.stats_id IS NOT NULL) was
    WHERE r.id = was.id AND NOT EXISTS (SELECT FROM refsync.syncs s WHERE s.stats_id = was.id);
    RETURN NULL;
END $fn$;
CREATE TRIGGER syncs_drop_stats AFTER DELETE ON refsync.syncs
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION refsync.drop_run_stats();
