-- The stats of runs. A run whose stats equal those of one of the runs before it refers to the same row.
CREATE TABLE refsync.run_stats (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Their size as text. Two stats of different sizes need no comparison.
    bytes int NOT NULL,
    stats jsonb NOT NULL
);
-- A process of an older version stores stats in the run itself.
ALTER TABLE refsync.syncs ADD COLUMN stats_id bigint;
-- How many refs were unchanged. `stats_counts` has the other counts that are not 0.
ALTER TABLE refsync.syncs ADD COLUMN unchanged int;

CREATE OR REPLACE FUNCTION refsync.leave_stats() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF EXISTS (SELECT FROM refsync.webhook_deliveries d WHERE d.takes_stats AND d.subject = OLD.id) THEN
        INSERT INTO refsync.webhook_stats (sync_id, stats)
        VALUES (OLD.id, coalesce(OLD.stats, (SELECT r.stats FROM refsync.run_stats r WHERE r.id = OLD.stats_id)));
    END IF;
    RETURN OLD;
END $fn$;
DROP TRIGGER syncs_leave_stats ON refsync.syncs;
CREATE TRIGGER syncs_leave_stats BEFORE DELETE ON refsync.syncs
    FOR EACH ROW WHEN (OLD.stats IS NOT NULL OR OLD.stats_id IS NOT NULL) EXECUTE FUNCTION refsync.leave_stats();

-- The events until the newest attempt began, if there were several. The view `run_events` tells the later ones from the run.
ALTER TABLE refsync.syncs ADD COLUMN history jsonb;
CREATE FUNCTION refsync.keep_history() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    -- The views come after the migrations.
    IF to_regproc('refsync.run_events') IS NOT NULL THEN
        NEW.history := refsync.run_events(OLD) || refsync.run_event(NEW);
    END IF;
    RETURN NEW;
END $fn$;
CREATE TRIGGER syncs_history BEFORE UPDATE OF attempt ON refsync.syncs
    FOR EACH ROW WHEN (OLD.attempt <> NEW.attempt) EXECUTE FUNCTION refsync.keep_history();
