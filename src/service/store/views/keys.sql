-- The scope for each repository that a key is limited to, by its name in lower case; null if the key is not limited.
CREATE OR REPLACE FUNCTION refsync.key_access(org_id text, scope text, repo_ids jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT CASE WHEN key_access.repo_ids IS NOT NULL THEN coalesce((
        SELECT jsonb_object_agg(lower(r.name), key_access.scope)
        FROM refsync.repos r
        WHERE r.org_id = key_access.org_id
            AND r.id IN (SELECT jsonb_array_elements_text(key_access.repo_ids))), '{}') END
$fn$;

-- The names of the repositories that a key is limited to; null if the key is not limited.
CREATE OR REPLACE FUNCTION refsync.key_repos(org_id text, repo_ids jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT CASE WHEN key_repos.repo_ids IS NOT NULL THEN coalesce((
        SELECT jsonb_agg(r.name ORDER BY lower(r.name))
        FROM refsync.repos r
        WHERE r.org_id = key_repos.org_id
            AND r.id IN (SELECT jsonb_array_elements_text(key_repos.repo_ids))), '[]') END
$fn$;

-- Whether a use at this time is more than a minute from now: before it, or after it because the clock was set back. Calls at the
-- same time see slightly different times, which is no reason for each of them to write.
CREATE OR REPLACE FUNCTION refsync.is_use_old(last_used_at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $fn$
    SELECT (last_used_at BETWEEN now() - interval '1 minute' AND now() + interval '1 minute') IS NOT TRUE
$fn$;
