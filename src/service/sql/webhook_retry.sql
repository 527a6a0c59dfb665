-- $1 seq, $2 the lease, $3 seconds until the second attempt, $4 the most between two, $5 how many seconds it is tried.
-- Each wait is twice the one before, and half to one and a half of that by chance. Gives whether it was given up.
WITH tried AS (
    SELECT seq, created_at < now() - make_interval(secs => $5::float8) AS given_up
    FROM refsync.webhook_deliveries
    WHERE seq = $1::bigint AND lease = $2::text
    FOR UPDATE
), removed AS (
    DELETE FROM refsync.webhook_deliveries d USING tried WHERE d.seq = tried.seq AND tried.given_up
), put_back AS (
    UPDATE refsync.webhook_deliveries d SET
        lease = NULL,
        lease_expires_at = NULL,
        run_after = now() + make_interval(
            secs => least($3::float8 * 2 ^ least(d.attempts - 1, 30), $4::float8) * (0.5 + random()))
    FROM tried
    WHERE d.seq = tried.seq AND NOT tried.given_up
)
SELECT to_jsonb(given_up)::text AS row FROM tried
