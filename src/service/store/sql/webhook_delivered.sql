-- seq, lease. No row if another worker has its lease now, or if the target is gone.
WITH delivered AS (
    DELETE FROM refsync.webhook_deliveries
    WHERE seq = ($1::jsonb ->> 'seq')::bigint AND lease = $1::jsonb ->> 'lease'
    RETURNING seq, target_id
), answered AS (
    UPDATE refsync.webhook_targets t SET hangs = 0, waits_until = NULL
    FROM delivered
    WHERE t.id = delivered.target_id AND t.hangs > 0
)
SELECT to_jsonb(seq)::text AS row FROM delivered
