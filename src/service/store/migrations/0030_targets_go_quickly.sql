-- If the target is deleted, all its deliveries go, and none of them becomes the first. The time for this would grow with their square.
CREATE OR REPLACE FUNCTION refsync.delivery_removed() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $fn$
BEGIN
    IF NOT EXISTS (SELECT FROM refsync.webhook_targets t WHERE t.id = OLD.target_id) THEN
        RETURN NULL;
    END IF;
    UPDATE refsync.webhook_deliveries d SET is_first = true
    WHERE d.seq = (
        SELECT next.seq FROM refsync.webhook_deliveries next
        WHERE next.target_id = OLD.target_id AND next.subject = OLD.subject
        ORDER BY next.target_id, next.subject, next.seq
        LIMIT 1) AND NOT d.is_first;
    RETURN NULL;
END $fn$;
