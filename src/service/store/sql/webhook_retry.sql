-- $1 seq, $2 the lease, $3 seconds until the second attempt, $4 the most between two, $5 how many seconds it is tried, $6 whether
-- no answer came in time. Each wait is twice the one before, and half to one and a half of that by chance. A target that did not
-- answer twice in a row waits as a whole, and what it should have had for too long is given up with what was tried. No row where
-- the lease is another's by now; else how many deliveries were given up, whether this one was, and for how many seconds the target
-- waits, or null.
WITH tried AS (
    SELECT seq, target_id, created_at < now() - make_interval(secs => $5::float8) AS given_up
    FROM refsync.webhook_deliveries
    WHERE seq = $1::bigint AND lease = $2::text
    FOR UPDATE
), target AS (
    UPDATE refsync.webhook_targets t SET
        hangs = CASE $6::text WHEN 'true' THEN t.hangs + 1 ELSE 0 END,
        waits_until = CASE WHEN $6::text = 'true' AND t.hangs >= 1 THEN now() + make_interval(
            secs => least($3::float8 * 2 ^ least(t.hangs - 1, 30), $4::float8) * (0.5 + random())) END
    FROM tried
    WHERE t.id = tried.target_id AND ($6::text = 'true' OR t.hangs > 0)
    RETURNING t.id, t.waits_until
), removed AS (
    DELETE FROM refsync.webhook_deliveries d
    USING tried LEFT JOIN target ON target.waits_until IS NOT NULL
    WHERE d.target_id = tried.target_id AND (d.seq = tried.seq AND tried.given_up
        OR target.id IS NOT NULL AND d.lease IS NULL AND d.created_at < now() - make_interval(secs => $5::float8))
    RETURNING d.seq
), put_back AS (
    UPDATE refsync.webhook_deliveries d SET
        lease = NULL,
        lease_expires_at = NULL,
        run_after = now() + make_interval(
            secs => least($3::float8 * 2 ^ least(d.attempts - 1, 30), $4::float8) * (0.5 + random()))
    FROM tried
    WHERE d.seq = tried.seq AND NOT tried.given_up
)
SELECT jsonb_build_object(
    'is_given_up', tried.given_up, 'given_up', (SELECT count(*) FROM removed),
    'target_waits', (SELECT extract(epoch FROM waits_until - now())::int FROM target))::text AS row
FROM tried
