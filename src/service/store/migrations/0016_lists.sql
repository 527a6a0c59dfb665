-- The commit that `HEAD` of a hosted repository names, so that a list asks no Git process for each of its rows. Not known until
-- it was looked at; a push begins with that, too.
ALTER TABLE refsync.repos ADD COLUMN head text;
ALTER TABLE refsync.repos ADD COLUMN head_is_known boolean NOT NULL DEFAULT false;

-- How many bytes its stats have as JSON; null if it has none.
CREATE FUNCTION refsync.stats_bytes(s refsync.syncs) RETURNS int LANGUAGE sql STABLE AS $fn$
    SELECT coalesce(s.stats_bytes, octet_length(s.stats::text))
$fn$;

-- Lists have this one, too, so that they do not grow with the refs.
CREATE OR REPLACE FUNCTION refsync.sync_run(s refsync.syncs) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT refsync.sync_run_without_stats(s)
$fn$;
CREATE FUNCTION refsync.sync_run_with_stats(s refsync.syncs) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT refsync.sync_run_without_stats(s) || jsonb_build_object('stats', s.stats)
$fn$;

-- The Repo of the API: as before, and for the service itself the head, from which head_change_id is derived.
ALTER FUNCTION refsync.repo(refsync.repos) RENAME TO repo_without_head;
CREATE FUNCTION refsync.repo(r refsync.repos) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT refsync.repo_without_head(r) || jsonb_build_object(
        'head', CASE WHEN r.origin_url IS NOT NULL THEN r.origin_head ELSE r.head END,
        'head_is_known', r.origin_url IS NOT NULL OR r.head_is_known)
$fn$;
