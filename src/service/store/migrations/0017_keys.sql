-- Keys can be listed, limited and revoked.
ALTER TABLE refsync.api_keys
    -- The order in which the keys were made, which lists page by.
    ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    -- An array of repository ids; null is the whole organisation.
    ADD COLUMN repo_ids jsonb,
    ADD COLUMN expires_at timestamptz,
    -- Written once a minute at most.
    ADD COLUMN last_used_at timestamptz;
CREATE INDEX api_keys_newest ON refsync.api_keys (org_id, seq DESC);

ALTER TABLE refsync.public_keys
    ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    -- The most that a token of this key may do.
    ADD COLUMN scope text NOT NULL DEFAULT 'admin' CHECK (scope IN ('read', 'write', 'admin')),
    ADD COLUMN repo_ids jsonb,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN last_used_at timestamptz;
CREATE INDEX public_keys_newest ON refsync.public_keys (org_id, seq DESC);

-- The scope for each repository that a key is limited to, by its name in lower case; null if the key is not limited.
CREATE FUNCTION refsync.key_access(org_id text, scope text, repo_ids jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT CASE WHEN key_access.repo_ids IS NOT NULL THEN coalesce((
        SELECT jsonb_object_agg(lower(r.name), key_access.scope)
        FROM refsync.repos r
        WHERE r.org_id = key_access.org_id
            AND r.id IN (SELECT jsonb_array_elements_text(key_access.repo_ids))), '{}') END
$fn$;

-- The names of the repositories that a key is limited to; null if the key is not limited.
CREATE FUNCTION refsync.key_repos(org_id text, repo_ids jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT CASE WHEN key_repos.repo_ids IS NOT NULL THEN coalesce((
        SELECT jsonb_agg(r.name ORDER BY lower(r.name))
        FROM refsync.repos r
        WHERE r.org_id = key_repos.org_id
            AND r.id IN (SELECT jsonb_array_elements_text(key_repos.repo_ids))), '[]') END
$fn$;

-- Whether a use at this time is more than a minute from now: before it, or after it because the clock was set back. Calls at the
-- same time see slightly different times, which is no reason for each of them to write.
CREATE FUNCTION refsync.is_use_old(last_used_at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $fn$
    SELECT (last_used_at BETWEEN now() - interval '1 minute' AND now() + interval '1 minute') IS NOT TRUE
$fn$;

-- The ApiKey of the API.
CREATE FUNCTION refsync.api_key(k refsync.api_keys) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'id', k.id,
        'name', k.name,
        'scope', k.scope,
        'repos', refsync.key_repos(k.org_id, k.repo_ids),
        'created_at', refsync.rfc3339(k.created_at),
        'expires_at', refsync.rfc3339(k.expires_at),
        'last_used_at', refsync.rfc3339(k.last_used_at))
$fn$;

-- The PublicKey of the API.
CREATE FUNCTION refsync.public_key(k refsync.public_keys) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'id', k.id,
        'name', k.name,
        'x', k.x,
        'scope', k.scope,
        'repos', refsync.key_repos(k.org_id, k.repo_ids),
        'created_at', refsync.rfc3339(k.created_at),
        'expires_at', refsync.rfc3339(k.expires_at),
        'last_used_at', refsync.rfc3339(k.last_used_at))
$fn$;

-- The codes of the page's addresses. Each is exchanged for a session once. Only hashes are stored.
CREATE TABLE refsync.page_codes (
    hash text PRIMARY KEY,
    org_id text NOT NULL REFERENCES refsync.organizations ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
