-- $1 seq, $2 the lease. No row where the lease is another's by now, or the target is gone.
WITH delivered AS (
    DELETE FROM refsync.webhook_deliveries
    WHERE seq = $1::bigint AND lease = $2::text
    RETURNING seq, target_id
), answered AS (
    UPDATE refsync.webhook_targets t SET hangs = 0, waits_until = NULL
    FROM delivered
    WHERE t.id = delivered.target_id AND t.hangs > 0
)
SELECT to_jsonb(seq)::text AS row FROM delivered
