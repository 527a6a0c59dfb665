-- How many refs of a run ended in each way, and how many bytes its stats have as JSON. Null if it has no stats, or is of an older
-- version.
ALTER TABLE refsync.syncs ADD COLUMN stats_counts jsonb;
ALTER TABLE refsync.syncs ADD COLUMN stats_bytes int;

-- The stats of a run can have many megabytes. A delivery leaves them in the run and takes them when it is sent; `bytes` says how
-- many they are.
ALTER TABLE refsync.webhook_deliveries ADD COLUMN takes_stats boolean NOT NULL DEFAULT false;
ALTER TABLE refsync.webhook_deliveries ADD COLUMN bytes int NOT NULL DEFAULT 0;
CREATE INDEX webhook_deliveries_stats ON refsync.webhook_deliveries (subject) WHERE takes_stats;

-- The stats of deleted runs, as long as there are deliveries that take them.
CREATE TABLE refsync.webhook_stats (
    sync_id text PRIMARY KEY,
    stats jsonb NOT NULL
);
CREATE FUNCTION refsync.leave_stats() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF EXISTS (SELECT FROM refsync.webhook_deliveries d WHERE d.takes_stats AND d.subject = OLD.id) THEN
        INSERT INTO refsync.webhook_stats (sync_id, stats) VALUES (OLD.id, OLD.stats);
    END IF;
    RETURN OLD;
END $fn$;
CREATE TRIGGER syncs_leave_stats BEFORE DELETE ON refsync.syncs
    FOR EACH ROW WHEN (OLD.stats IS NOT NULL) EXECUTE FUNCTION refsync.leave_stats();
CREATE FUNCTION refsync.drop_stats() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    DELETE FROM refsync.webhook_stats w
    WHERE w.sync_id = OLD.subject
        AND NOT EXISTS (SELECT FROM refsync.webhook_deliveries d WHERE d.takes_stats AND d.subject = OLD.subject);
    RETURN NULL;
END $fn$;
CREATE TRIGGER webhook_deliveries_drop_stats AFTER DELETE ON refsync.webhook_deliveries
    FOR EACH ROW WHEN (OLD.takes_stats) EXECUTE FUNCTION refsync.drop_stats();
