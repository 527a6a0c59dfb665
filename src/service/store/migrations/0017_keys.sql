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

-- The codes of the page's addresses. Each is exchanged for a session once. Only hashes are stored.
CREATE TABLE refsync.page_codes (
    hash text PRIMARY KEY,
    org_id text NOT NULL REFERENCES refsync.organizations ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
