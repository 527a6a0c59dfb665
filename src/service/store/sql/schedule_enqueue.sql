-- schedules: an array of {id, at, next}: a repository, the time that is due, and the next one or null, in milliseconds
-- since 1970. Queues a run for each repository that still has that due time, so that only one of many workers does it. If
-- an identical run is queued already, joins it. Returns the runs that were added.
WITH due AS (
    SELECT r.id, asked.next
    FROM jsonb_to_recordset($1::jsonb -> 'schedules') AS asked (id text, at timestamptz, next float8)
    JOIN refsync.repos r ON r.id = asked.id AND r.schedule_at = asked.at
    WHERE r.upstream_paused_at IS NULL
    FOR NO KEY UPDATE OF r SKIP LOCKED
), moved AS (
    UPDATE refsync.repos r SET schedule_at = to_timestamp(due.next / 1000)
    FROM due
    WHERE r.id = due.id
    RETURNING r.id, r.schedule ->> 'direction' AS direction,
        r.schedule #>> '{ref_globs,branches}' AS branches, r.schedule #>> '{ref_globs,tags}' AS tags
), added AS (
    INSERT INTO refsync.syncs (repo_id, direction, branches, tags)
    SELECT moved.id, moved.direction, moved.branches, moved.tags
    FROM moved
    WHERE NOT EXISTS (
        SELECT FROM refsync.syncs s
        WHERE s.repo_id = moved.id AND s.status = 'queued'
            AND s.direction = moved.direction AND s.branches = moved.branches AND s.tags = moved.tags)
    ON CONFLICT (repo_id, direction, branches, tags) WHERE status = 'queued' AND attempt = 1 DO NOTHING
    RETURNING syncs AS run
)
SELECT refsync.announce_sync(run)::text AS row FROM added
