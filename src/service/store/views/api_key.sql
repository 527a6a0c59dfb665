-- The ApiKey of the API.
CREATE OR REPLACE FUNCTION refsync.api_key(k refsync.api_keys) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'id', k.id,
        'name', k.name,
        'scope', k.scope,
        'repos', refsync.key_repos(k.org_id, k.repo_ids),
        'created_at', refsync.rfc3339(k.created_at),
        'expires_at', refsync.rfc3339(k.expires_at),
        'last_used_at', refsync.rfc3339(k.last_used_at))
$fn$;
