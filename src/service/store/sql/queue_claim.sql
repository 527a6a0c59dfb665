-- Claims a run: `views/claim.sql` says which one. No row if there is none.
-- - lease: the new lease; lease_seconds: how long it lasts.
-- - max_runs: how many runs may be in progress, or null; max_runs_of_org: the same for one organisation, or null.
-- - only_origins: whether to claim only runs of repositories that are on another Git server.
-- - max_attempts: how many attempts may be lost.
-- - is_last_lane: whether this is the last free lane. It takes only a run whose upstream's host has no run in progress. If
--   there are several organisations, the run's organisation must not have one either.
SELECT claimed AS row FROM refsync.claim($1::jsonb) claimed
