-- Before this, `upgrade.ts` sets the turns and the first deliveries in small steps, and builds the indexes of large tables.
WHILE refsync.fill_turns() LOOP
END LOOP;
DROP FUNCTION refsync.fill_turns();
CREATE INDEX IF NOT EXISTS webhook_deliveries_ready ON refsync.webhook_deliveries (target_id, (bytes >= 1048576), run_after, seq)
    WHERE is_first;
CREATE INDEX IF NOT EXISTS webhook_deliveries_refused ON refsync.webhook_deliveries (seq) WHERE attempts > 1;
-- For the metrics. Its condition is written so that the planner chooses it for nothing else.
CREATE INDEX IF NOT EXISTS syncs_oldest ON refsync.syncs (run_after) WHERE (status || '') = 'queued';
-- Repositories by tag.
CREATE INDEX IF NOT EXISTS repos_tags ON refsync.repos USING gin (tags jsonb_path_ops);
-- The claims used these. The planner would still choose the first one if its statistics are of a time with a short queue.
DROP INDEX IF EXISTS refsync.syncs_open;
DROP INDEX IF EXISTS refsync.webhook_deliveries_next;
