-- $1 a new lease, $2 its seconds, $3 the service's address, $4 how many deliveries a target may have under way. Takes the
-- next delivery that is due, and none before those of the same target and subject that came earlier.
WITH next AS (
    SELECT d.seq, t.url, t.secret,
        CASE WHEN t.previous_secret_expires_at > now() THEN t.previous_secret END AS previous_secret
    FROM refsync.webhook_deliveries d
    JOIN refsync.webhook_targets t ON t.id = d.target_id
    WHERE d.run_after <= now()
        AND (d.lease IS NULL OR d.lease_expires_at <= now())
        AND NOT EXISTS (
            SELECT FROM refsync.webhook_deliveries earlier
            WHERE earlier.target_id = d.target_id AND earlier.subject = d.subject AND earlier.seq < d.seq)
        -- A target that is slow to answer does not hold up the others.
        AND $4::int > (
            SELECT count(*) FROM refsync.webhook_deliveries other
            WHERE other.target_id = d.target_id AND other.lease IS NOT NULL AND other.lease_expires_at > now())
    ORDER BY d.run_after, d.seq
    LIMIT 1
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE refsync.webhook_deliveries d SET
    attempts = d.attempts + 1,
    lease = $1::text,
    lease_expires_at = now() + make_interval(secs => $2::float8)
FROM next
WHERE d.seq = next.seq
RETURNING jsonb_build_object(
    'seq', d.seq, 'event_id', d.envelope ->> 'id', 'type', d.envelope ->> 'type', 'attempts', d.attempts,
    'target_id', d.target_id, 'url', next.url, 'secret', next.secret, 'previous_secret', next.previous_secret,
    'time', extract(epoch FROM now())::bigint,
    'body', jsonb_set(
        d.envelope, '{repository,url}', to_jsonb($3::text || (d.envelope #>> '{repository,url}')))::text)::text AS row
