-- $1 organisation id, $2 target id, $3 the new secret, sealed, $4 how many seconds the present one stays good.
UPDATE refsync.webhook_targets SET
    previous_secret = secret,
    previous_secret_expires_at = now() + make_interval(secs => $4::float8),
    secret = $3::text,
    updated_at = now()
WHERE org_id = $1::text AND id = $2::text
RETURNING refsync.webhook_target(webhook_targets)::text AS row
