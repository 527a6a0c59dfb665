-- Whose private keys sign access tokens. The private keys themselves are stored nowhere.
CREATE TABLE refsync.public_keys (
    id text PRIMARY KEY DEFAULT refsync.new_id('pub'),
    org_id text NOT NULL REFERENCES refsync.organizations ON DELETE CASCADE,
    -- An Ed25519 public key as a JWK's x.
    x text NOT NULL,
    name text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, x)
);
