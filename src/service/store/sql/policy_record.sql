-- Stores the effects of a run's policy, and announces the moves that are held from now on. Returns the names of old backups,
-- which may be deleted. Does nothing if the run is gone, or if another worker has its lease now.
-- - sync_id, lease.
-- - upstream_url: the upstream's URL that the run used. If it is another one now, nothing is held.
-- - held: an array of {name, from, to, ahead, behind}.
-- - settled: the other refs of the run, or null if the run was of all refs. They are not held any more.
-- - backups: an array of the names of refs that the run made.
-- - keep_minutes: how long backups are kept, or null.
WITH repo AS (
    SELECT r.*
    FROM refsync.repos r
    JOIN refsync.syncs s ON s.repo_id = r.id
    WHERE s.id = $1::jsonb ->> 'sync_id' AND s.lease = $1::jsonb ->> 'lease'
    FOR KEY SHARE OF r
), run AS (
    SELECT s.repo_id, s.direction, repo.upstream_url = $1::jsonb ->> 'upstream_url' AS is_same_upstream
    FROM refsync.syncs s JOIN repo ON repo.id = s.repo_id
    WHERE s.id = $1::jsonb ->> 'sync_id'
), asked AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb -> 'held') AS (name text, "from" text, "to" text, ahead int, behind int)
), released AS (
    DELETE FROM refsync.held h
    USING run
    WHERE h.repo_id = run.repo_id AND h.direction = run.direction
        AND NOT EXISTS (SELECT FROM asked WHERE asked.name = h.name)
        AND ($1::jsonb -> 'settled' = 'null' OR $1::jsonb -> 'settled' ? h.name)
), news AS (
    INSERT INTO refsync.held (repo_id, direction, name, from_id, to_id, ahead, behind)
    SELECT run.repo_id, run.direction, asked.name, asked."from", asked."to", asked.ahead, asked.behind FROM asked CROSS JOIN run
    WHERE run.is_same_upstream
    ON CONFLICT (repo_id, direction, name) DO UPDATE
        SET from_id = excluded.from_id, to_id = excluded.to_id, ahead = excluded.ahead, behind = excluded.behind,
            since = now(), approved_at = NULL
        WHERE (held.from_id, held.to_id) IS DISTINCT FROM (excluded.from_id, excluded.to_id)
    RETURNING name, from_id, to_id
), noted AS (
    INSERT INTO refsync.backups (repo_id, direction, backup)
    SELECT run.repo_id, run.direction, made FROM run CROSS JOIN jsonb_array_elements_text($1::jsonb -> 'backups') made
    ON CONFLICT (repo_id, direction, backup) DO UPDATE SET created_at = now()
)
SELECT to_jsonb(b.backup)::text AS row
FROM refsync.backups b
JOIN run ON run.repo_id = b.repo_id AND run.direction = b.direction
WHERE NOT $1::jsonb -> 'backups' ? b.backup
    AND b.created_at < now() - make_interval(mins => ($1::jsonb ->> 'keep_minutes')::int)
UNION ALL
-- Announces them. The condition on the count gives no row.
SELECT NULL FROM (SELECT jsonb_agg(jsonb_build_object('name', name, 'from', from_id, 'to', to_id) ORDER BY name) AS refs FROM news) told
CROSS JOIN LATERAL (SELECT refsync.announce_held(r, run.direction, told.refs) AS count
    FROM run JOIN refsync.repos r ON r.id = run.repo_id) announced
WHERE told.refs IS NOT NULL AND announced.count < 0
