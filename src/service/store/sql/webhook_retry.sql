-- Schedules the next attempt of a delivery, or gives it up. Each wait is twice the one before, times a random factor from
-- 0.5 to 1.5. If a target did not answer twice in a row, all of its deliveries wait; those that have waited too long are
-- given up together with this one.
-- - seq, lease.
-- - first_wait: seconds until the second attempt; longest_wait: the longest time between two attempts.
-- - tried_for: for how many seconds a delivery is tried.
-- - has_hung: whether no answer came in time.
--
-- Returns how many deliveries were given up, whether this one was, and for how many seconds the target waits, or null. No
-- row if another worker has the lease now.
WITH tried AS (
    SELECT seq, target_id, created_at < now() - make_interval(secs => ($1::jsonb ->> 'tried_for')::float8) AS given_up
    FROM refsync.webhook_deliveries
    WHERE seq = ($1::jsonb ->> 'seq')::bigint AND lease = $1::jsonb ->> 'lease'
    FOR UPDATE
), target AS (
    UPDATE refsync.webhook_targets t SET
        hangs = CASE WHEN ($1::jsonb ->> 'has_hung')::boolean THEN t.hangs + 1 ELSE 0 END,
        waits_until = CASE WHEN ($1::jsonb ->> 'has_hung')::boolean AND t.hangs >= 1 THEN now() + make_interval(
            secs => least(($1::jsonb ->> 'first_wait')::float8 * 2 ^ least(t.hangs - 1, 30),
                ($1::jsonb ->> 'longest_wait')::float8) * (0.5 + random())) END
    FROM tried
    WHERE t.id = tried.target_id AND (($1::jsonb ->> 'has_hung')::boolean OR t.hangs > 0)
    RETURNING t.id, t.waits_until
), removed AS (
    DELETE FROM refsync.webhook_deliveries d
    USING tried LEFT JOIN target ON target.waits_until IS NOT NULL
    WHERE d.target_id = tried.target_id AND (d.seq = tried.seq AND tried.given_up
        OR target.id IS NOT NULL AND d.lease IS NULL AND d.created_at < now() - make_interval(secs => ($1::jsonb ->> 'tried_for')::float8))
    RETURNING d.seq
), put_back AS (
    UPDATE refsync.webhook_deliveries d SET
        lease = NULL,
        lease_expires_at = NULL,
        run_after = now() + make_interval(
            secs => least(($1::jsonb ->> 'first_wait')::float8 * 2 ^ least(d.attempts - 1, 30),
                ($1::jsonb ->> 'longest_wait')::float8) * (0.5 + random()))
    FROM tried
    WHERE d.seq = tried.seq AND NOT tried.given_up
)
SELECT jsonb_build_object(
    'is_given_up', tried.given_up, 'given_up', (SELECT count(*) FROM removed),
    'target_waits', (SELECT extract(epoch FROM waits_until - now())::int FROM target))::text AS row
FROM tried
