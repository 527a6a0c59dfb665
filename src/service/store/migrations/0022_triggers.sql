-- The hook that the upstream's host calls: the last part of its address, and its secret, sealed with the service's secret key.
ALTER TABLE refsync.repos ADD COLUMN hook_id text;
ALTER TABLE refsync.repos ADD COLUMN hook_secret text;
CREATE UNIQUE INDEX repos_hook ON refsync.repos (hook_id);
-- Whether a push into the repository queues a push to the upstream.
ALTER TABLE refsync.repos ADD COLUMN on_push boolean NOT NULL DEFAULT false;
