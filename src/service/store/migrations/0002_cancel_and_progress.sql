-- A run in progress that shall be stopped: the worker that has it sees this at its next heartbeat.
ALTER TABLE refsync.syncs ADD COLUMN cancel_requested_at timestamptz;
-- How far the run is, as its worker last said.
ALTER TABLE refsync.syncs ADD COLUMN progress jsonb;
