-- org_id, target_id, secret: the new one, sealed, both_valid_seconds: how long the present secret stays valid.
UPDATE refsync.webhook_targets SET
    previous_secret = secret,
    previous_secret_expires_at = now() + make_interval(secs => ($1::jsonb ->> 'both_valid_seconds')::float8),
    secret = $1::jsonb ->> 'secret',
    updated_at = now()
WHERE org_id = $1::jsonb ->> 'org_id' AND id = $1::jsonb ->> 'target_id'
RETURNING refsync.webhook_target(webhook_targets)::text AS row
