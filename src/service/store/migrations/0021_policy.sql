-- The standing policy: the keys that were set, in the API's form. The other keys have their defaults.
ALTER TABLE refsync.repos ADD COLUMN upstream_policy jsonb;
-- The keys of the policy that came with the request.
ALTER TABLE refsync.syncs ADD COLUMN policy jsonb;

-- Moves that wait for an approval, as the last run found them.
CREATE TABLE refsync.held (
    repo_id text NOT NULL REFERENCES refsync.repos (id) ON DELETE CASCADE,
    direction text NOT NULL,
    name text NOT NULL,
    from_id text NOT NULL,
    to_id text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    approved_at timestamptz,
    PRIMARY KEY (repo_id, direction, name));

-- When a pull made a backup. The refs themselves are in the Git repository.
CREATE TABLE refsync.backups (
    repo_id text NOT NULL REFERENCES refsync.repos (id) ON DELETE CASCADE,
    backup text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repo_id, backup));
