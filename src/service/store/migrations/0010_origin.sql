-- Another Git server that has the repository; null where the service hosts it.
ALTER TABLE refsync.repos ADD COLUMN origin_url text;
ALTER TABLE refsync.repos ADD COLUMN origin_auth_kind text CHECK (origin_auth_kind IN ('token', 'username_password'));
-- The credential, sealed with the service's secret key.
ALTER TABLE refsync.repos ADD COLUMN origin_auth text;
-- The commit that its HEAD named when the last run completed: the API need not ask the other server each time.
ALTER TABLE refsync.repos ADD COLUMN origin_head text;
ALTER TABLE refsync.repos ADD CHECK ((origin_auth IS NULL) = (origin_auth_kind IS NULL));
ALTER TABLE refsync.repos ADD CHECK (origin_url IS NOT NULL OR (origin_auth IS NULL AND origin_head IS NULL));

-- The Repo of the API: as before, and where it lives.
ALTER FUNCTION refsync.repo(refsync.repos) RENAME TO repo_without_origin;
CREATE FUNCTION refsync.repo(r refsync.repos) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT refsync.repo_without_origin(r) || jsonb_build_object(
        'origin', CASE WHEN r.origin_url IS NOT NULL THEN jsonb_build_object(
            'url', r.origin_url, 'auth_kind', r.origin_auth_kind) END,
        'origin_head', r.origin_head)
$fn$;
