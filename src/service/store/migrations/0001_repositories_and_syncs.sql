-- Ids sort by time: milliseconds since 1970 in hex, then randomness.
CREATE FUNCTION refsync.new_id(kind text) RETURNS text LANGUAGE sql VOLATILE AS $fn$
    SELECT kind || '_' || lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
        || right(replace(gen_random_uuid()::text, '-', ''), 16)
$fn$;

-- RFC 3339 in UTC, whatever the session's time zone.
CREATE FUNCTION refsync.rfc3339(moment timestamptz) RETURNS text LANGUAGE sql STABLE AS $fn$
    SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$fn$;

CREATE TABLE refsync.organizations (
    id text PRIMARY KEY DEFAULT refsync.new_id('org'),
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE refsync.api_keys (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES refsync.organizations ON DELETE CASCADE,
    name text,
    scope text NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
    -- SHA-256 of the whole key, in hex. The key itself is stored nowhere.
    hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE refsync.repos (
    id text PRIMARY KEY,
    -- The order of creation, which lists page by.
    seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    org_id text NOT NULL REFERENCES refsync.organizations ON DELETE CASCADE,
    name text NOT NULL,
    default_bookmark text NOT NULL,
    tags jsonb NOT NULL DEFAULT '{}',
    upstream_url text,
    upstream_auth_kind text CHECK (upstream_auth_kind IN ('token', 'username_password')),
    -- The credential, sealed with the service's secret key.
    upstream_auth text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((upstream_auth IS NULL) = (upstream_auth_kind IS NULL)),
    CHECK (upstream_url IS NOT NULL OR upstream_auth IS NULL)
);
CREATE UNIQUE INDEX repos_name ON refsync.repos (org_id, lower(name));
CREATE INDEX repos_newest ON refsync.repos (org_id, seq DESC);

CREATE TABLE refsync.syncs (
    id text PRIMARY KEY DEFAULT refsync.new_id('sync'),
    seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    repo_id text NOT NULL REFERENCES refsync.repos ON DELETE CASCADE,
    direction text NOT NULL CHECK (direction IN ('pull', 'push')),
    branches text NOT NULL,
    tags text NOT NULL,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'in_progress', 'completed', 'failed')),
    attempt int NOT NULL DEFAULT 1,
    stats jsonb,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    -- A queued run is not claimed before this.
    run_after timestamptz NOT NULL DEFAULT now(),
    -- Held by the worker that runs it; another may take the run up once the lease has expired.
    lease text,
    lease_expires_at timestamptz,
    CHECK ((status = 'in_progress') = (lease IS NOT NULL)),
    CHECK ((lease IS NULL) = (lease_expires_at IS NULL))
);
CREATE INDEX syncs_newest ON refsync.syncs (repo_id, seq DESC);
CREATE INDEX syncs_open ON refsync.syncs (run_after) WHERE status IN ('queued', 'in_progress');
-- At most one run in progress for each repository, whoever claims.
CREATE UNIQUE INDEX syncs_one_in_progress ON refsync.syncs (repo_id) WHERE status = 'in_progress';
-- Two identical requests at once become one run. A run that waits for its next attempt may have such a neighbour.
CREATE UNIQUE INDEX syncs_joined ON refsync.syncs (repo_id, direction, branches, tags)
    WHERE status = 'queued' AND attempt = 1;

-- The SyncRun of the API.
CREATE FUNCTION refsync.sync_run(s refsync.syncs) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'id', s.id,
        'repo_id', s.repo_id,
        'direction', s.direction,
        'status', s.status,
        'attempt', s.attempt,
        'ref_globs', jsonb_build_object('branches', s.branches, 'tags', s.tags),
        'stats', s.stats,
        'error', s.error,
        'created_at', refsync.rfc3339(s.created_at),
        'started_at', refsync.rfc3339(s.started_at),
        'finished_at', refsync.rfc3339(s.finished_at))
$fn$;

-- The Repo of the API, without head_change_id, which only the Git repository knows.
CREATE FUNCTION refsync.repo(r refsync.repos) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'id', r.id,
        'org', (SELECT o.slug FROM refsync.organizations o WHERE o.id = r.org_id),
        'name', r.name,
        'default_bookmark', r.default_bookmark,
        'tags', r.tags,
        'created_at', refsync.rfc3339(r.created_at),
        'upstream', CASE WHEN r.upstream_url IS NOT NULL THEN jsonb_build_object(
            'url', r.upstream_url,
            'auth_kind', r.upstream_auth_kind,
            'latest_sync', (
                SELECT refsync.sync_run(s) FROM refsync.syncs s WHERE s.repo_id = r.id ORDER BY s.seq DESC LIMIT 1))
        END)
$fn$;
