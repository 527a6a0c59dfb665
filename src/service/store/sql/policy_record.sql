-- Stores the effects of a completed run's policy, and announces the moves that are held from now on. Returns the names of old
-- backups, which may be deleted.
-- - repo_id, direction.
-- - held: an array of {name, from, to}.
-- - settled: the other refs of the run, or null if the run was of all refs. They are not held any more.
-- - backups: an array of the names of refs that the run made.
-- - keep_minutes: how long backups are kept, or null.
WITH repo AS (
    -- It may be gone.
    SELECT * FROM refsync.repos r WHERE r.id = $1::jsonb ->> 'repo_id' FOR KEY SHARE
), asked AS (
    SELECT name, "from", "to" FROM jsonb_to_recordset($1::jsonb -> 'held') AS (name text, "from" text, "to" text)
), released AS (
    DELETE FROM refsync.held h
    WHERE h.repo_id = $1::jsonb ->> 'repo_id' AND h.direction = $1::jsonb ->> 'direction'
        AND NOT EXISTS (SELECT FROM asked WHERE asked.name = h.name)
        AND ($1::jsonb -> 'settled' = 'null' OR $1::jsonb -> 'settled' ? h.name)
), news AS (
    INSERT INTO refsync.held (repo_id, direction, name, from_id, to_id)
    SELECT repo.id, $1::jsonb ->> 'direction', asked.name, asked."from", asked."to" FROM asked CROSS JOIN repo
    ON CONFLICT (repo_id, direction, name) DO UPDATE
        SET from_id = excluded.from_id, to_id = excluded.to_id, since = now(), approved_at = NULL
        WHERE (held.from_id, held.to_id) IS DISTINCT FROM (excluded.from_id, excluded.to_id)
    RETURNING name, from_id, to_id
), noted AS (
    INSERT INTO refsync.backups (repo_id, backup)
    SELECT repo.id, made FROM repo CROSS JOIN jsonb_array_elements_text($1::jsonb -> 'backups') made
    ON CONFLICT (repo_id, backup) DO UPDATE SET created_at = now()
)
SELECT to_jsonb(b.backup)::text AS row
FROM refsync.backups b
WHERE b.repo_id = $1::jsonb ->> 'repo_id' AND NOT $1::jsonb -> 'backups' ? b.backup
    AND b.created_at < now() - make_interval(mins => ($1::jsonb ->> 'keep_minutes')::int)
UNION ALL
-- Announces them. The condition on the count gives no row.
SELECT NULL FROM (SELECT jsonb_agg(jsonb_build_object('name', name, 'from', from_id, 'to', to_id) ORDER BY name) AS refs FROM news) told
CROSS JOIN LATERAL (SELECT refsync.announce_held(repo.*, $1::jsonb ->> 'direction', told.refs) AS count FROM repo) announced
WHERE told.refs IS NOT NULL AND announced.count < 0
