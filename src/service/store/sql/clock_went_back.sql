-- Shortens all waits that a clock which went back has made too long. A process that still has a lease renews it meanwhile.
-- - lease: how long a run's lease lasts. Unless they say otherwise, values are in seconds.
-- - longest_backoff: the longest backoff of a run.
-- - delivery_lease: how long a delivery's lease lasts.
-- - first_wait: the first wait of a delivery.
-- - longest_wait: the longest wait of a delivery.
-- - back: by how many milliseconds the steady clock must go forward; back_before: how many milliseconds it went forward before, as
--   this process knows. If another process has moved it meanwhile, it stays.
-- - forgets: whether nobody knows by how much the clock was set back, so that no upstream counts as verified.
WITH steady AS (
    UPDATE refsync.service SET clock_back = clock_back + make_interval(secs => ($1::jsonb ->> 'back')::float8 / 1000)
    WHERE floor(extract(epoch FROM clock_back) * 1000)::bigint = ($1::jsonb ->> 'back_before')::bigint
), forgotten AS (
    UPDATE refsync.repos SET upstream_verified_at = NULL, upstream_verified_steady = NULL,
        upstream_check_at = CASE WHEN upstream_max_age IS NOT NULL THEN now() END
    WHERE ($1::jsonb ->> 'forgets')::boolean AND upstream_verified_at IS NOT NULL
), queued AS (
    UPDATE refsync.syncs SET run_after = now()
    WHERE status = 'queued' AND run_after > now() + CASE attempt WHEN 1 THEN interval '0' ELSE make_interval(
        secs => ($1::jsonb ->> 'longest_backoff')::float8) END
    RETURNING 1
), leased AS (
    UPDATE refsync.syncs SET lease_expires_at = now() + make_interval(secs => ($1::jsonb ->> 'lease')::float8)
    WHERE status = 'in_progress' AND lease_expires_at > now() + make_interval(secs => ($1::jsonb ->> 'lease')::float8)
    RETURNING 1
), deliveries AS (
    UPDATE refsync.webhook_deliveries d SET
        run_after = least(d.run_after, now() + most.wait),
        lease_expires_at = CASE WHEN d.lease IS NOT NULL THEN
            least(d.lease_expires_at, now() + make_interval(secs => ($1::jsonb ->> 'delivery_lease')::float8)) END
    FROM (
        SELECT seq, CASE attempts WHEN 0 THEN interval '0' ELSE make_interval(
            secs => 1.5 * least(($1::jsonb ->> 'first_wait')::float8 * 2 ^ least(attempts - 1, 30),
                ($1::jsonb ->> 'longest_wait')::float8)) END AS wait
        FROM refsync.webhook_deliveries) most
    WHERE d.seq = most.seq AND (d.run_after > now() + most.wait
        OR d.lease_expires_at > now() + make_interval(secs => ($1::jsonb ->> 'delivery_lease')::float8))
    RETURNING 1
), targets AS (
    UPDATE refsync.webhook_targets SET waits_until = least(waits_until, now() + make_interval(
        secs => 1.5 * least(($1::jsonb ->> 'first_wait')::float8 * 2 ^ least(hangs - 1, 30), ($1::jsonb ->> 'longest_wait')::float8)))
    WHERE waits_until > now()
)
SELECT jsonb_build_object(
    'runs', (SELECT count(*) FROM queued) + (SELECT count(*) FROM leased),
    'deliveries', (SELECT count(*) FROM deliveries))::text AS row
