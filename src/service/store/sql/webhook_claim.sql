-- Claims a due delivery. It waits for earlier deliveries of the same target and subject. Organisations with fewer
-- deliveries in progress come first, then the delivery that has been due longest.
-- - lease: the new lease; lease_seconds: how long it lasts.
-- - at_once, at_once_of_org: how many deliveries of a target and of an organisation may be in progress.
-- - takes_large: whether a large one may be claimed. A delivery is large from a megabyte on.
WITH RECURSIVE pending (target_id) AS (
    -- The targets that have deliveries. Each is found by one look into the index, even if it has many deliveries.
    (SELECT d.target_id FROM refsync.webhook_deliveries d WHERE d.is_first ORDER BY d.target_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT d.target_id FROM refsync.webhook_deliveries d
        WHERE d.is_first AND d.target_id > pending.target_id ORDER BY d.target_id LIMIT 1)
    FROM pending
    WHERE pending.target_id IS NOT NULL
), busy AS MATERIALIZED (
    SELECT d.target_id, t.org_id, d.bytes >= 1048576 AS is_large
    FROM refsync.webhook_deliveries d
    JOIN refsync.webhook_targets t ON t.id = d.target_id
    WHERE d.lease IS NOT NULL AND d.lease_expires_at > now()
), free AS (
    SELECT t.id, coalesce(of_org.under_way, 0) AS under_way,
        ($1::jsonb ->> 'takes_large')::boolean AND of_org.large IS NOT TRUE AS takes_large
    FROM pending
    JOIN refsync.webhook_targets t ON t.id = pending.target_id
    LEFT JOIN (SELECT target_id, count(*) AS under_way FROM busy GROUP BY 1) of_target ON of_target.target_id = t.id
    LEFT JOIN (
        SELECT org_id, count(*) AS under_way, bool_or(is_large) AS large FROM busy GROUP BY 1) of_org ON of_org.org_id = t.org_id
    -- If a target did not answer twice in a row, it gets only one delivery now and then.
    WHERE (t.waits_until IS NULL OR t.waits_until <= now())
        AND coalesce(of_target.under_way, 0) < CASE WHEN t.hangs < 2 THEN ($1::jsonb ->> 'at_once')::int ELSE 1 END
        AND coalesce(of_org.under_way, 0) < ($1::jsonb ->> 'at_once_of_org')::int
), first_due AS MATERIALIZED (
    SELECT d.seq, d.run_after, free.under_way
    FROM free
    CROSS JOIN LATERAL (
        SELECT d.seq, d.run_after
        FROM (VALUES (false), (free.takes_large)) size (is_large)
        CROSS JOIN LATERAL (
            SELECT d.seq, d.run_after
            FROM refsync.webhook_deliveries d
            WHERE d.target_id = free.id AND (d.bytes >= 1048576) = size.is_large AND d.is_first
                AND d.run_after <= now()
                AND (d.lease IS NULL OR d.lease_expires_at <= now())
            -- Names the index that has the rows in this order.
            ORDER BY d.target_id, (d.bytes >= 1048576), d.run_after, d.seq
            LIMIT 1) d
        ORDER BY d.run_after, d.seq
        LIMIT 1) d
), next AS (
    SELECT d.seq, t.url, t.secret, t.format,
        CASE WHEN t.previous_secret_expires_at > now() THEN t.previous_secret END AS previous_secret
    FROM first_due
    JOIN refsync.webhook_deliveries d ON d.seq = first_due.seq
    JOIN refsync.webhook_targets t ON t.id = d.target_id
    -- Another worker may have claimed it at this moment.
    WHERE d.lease IS NULL OR d.lease_expires_at <= now()
    ORDER BY first_due.under_way, first_due.run_after, first_due.seq
    LIMIT 1
    -- A new delivery of the same subject locks this one, too, and need not wait for it.
    FOR NO KEY UPDATE OF d SKIP LOCKED
)
UPDATE refsync.webhook_deliveries d SET
    attempts = d.attempts + 1,
    lease = $1::jsonb ->> 'lease',
    lease_expires_at = now() + make_interval(secs => ($1::jsonb ->> 'lease_seconds')::float8)
FROM next
WHERE d.seq = next.seq
RETURNING jsonb_build_object(
    'seq', d.seq, 'event_id', d.envelope ->> 'id', 'type', d.envelope ->> 'type', 'attempts', d.attempts,
    'target_id', d.target_id, 'url', next.url, 'format', next.format, 'secret', next.secret, 'previous_secret', next.previous_secret,
    'time', extract(epoch FROM now())::bigint, 'is_large', d.bytes >= 1048576)::text AS row
