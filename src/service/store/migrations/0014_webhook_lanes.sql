-- How many deliveries to the target in a row had no answer in time, and until when nothing is sent to it because of that. Two or
-- more are sent one at a time.
ALTER TABLE refsync.webhook_targets ADD COLUMN hangs int NOT NULL DEFAULT 0;
ALTER TABLE refsync.webhook_targets ADD COLUMN waits_until timestamptz;

-- A claim looks at each target that has deliveries, and there at what is due first.
CREATE INDEX webhook_deliveries_next ON refsync.webhook_deliveries (target_id, run_after, seq);
DROP INDEX refsync.webhook_deliveries_due;
