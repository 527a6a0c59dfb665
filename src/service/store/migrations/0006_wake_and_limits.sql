-- Which of the places that limits give a run in progress has, in the whole and in its organisation; null where its worker
-- had no limit. The indexes keep the limits, however many workers claim at the same time.
ALTER TABLE refsync.syncs ADD COLUMN slot int;
ALTER TABLE refsync.syncs ADD COLUMN org_slot text;
CREATE UNIQUE INDEX syncs_slot ON refsync.syncs (slot) WHERE status = 'in_progress';
CREATE UNIQUE INDEX syncs_org_slot ON refsync.syncs (org_slot) WHERE status = 'in_progress';

-- Tells every process that listens that there is something to do: 'sync' or 'webhook'. Equal ones of one statement are
-- one notification.
CREATE FUNCTION refsync.wake() RETURNS trigger LANGUAGE plpgsql AS $fn$ BEGIN
    PERFORM pg_notify('refsync', TG_ARGV[0]);
    RETURN NULL;
END $fn$;
-- What waits for its next attempt is found by the poll.
CREATE TRIGGER syncs_added AFTER INSERT ON refsync.syncs
    FOR EACH ROW WHEN (NEW.run_after <= now()) EXECUTE FUNCTION refsync.wake('sync');
CREATE TRIGGER syncs_handed_back AFTER UPDATE OF status ON refsync.syncs
    FOR EACH ROW WHEN (NEW.status = 'queued' AND NEW.run_after <= now()) EXECUTE FUNCTION refsync.wake('sync');
CREATE TRIGGER webhook_deliveries_added AFTER INSERT ON refsync.webhook_deliveries
    FOR EACH ROW EXECUTE FUNCTION refsync.wake('webhook');
