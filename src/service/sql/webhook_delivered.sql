-- $1 seq, $2 the lease. No row where the lease is another's by now, or the target is gone.
DELETE FROM refsync.webhook_deliveries
WHERE seq = $1::bigint AND lease = $2::text
RETURNING to_jsonb(seq)::text AS row
