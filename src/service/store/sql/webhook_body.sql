-- seq, lease, public_url: the service's address. Returns the body of a claimed delivery. No row if another worker has its
-- lease now.
SELECT (jsonb_set(
        d.envelope, '{repository,url}', to_jsonb(($1::jsonb ->> 'public_url') || (d.envelope #>> '{repository,url}')))
    || CASE WHEN d.takes_stats THEN jsonb_build_object('data', jsonb_set(d.envelope -> 'data', '{sync,stats}', coalesce(s.stats, r.stats, w.stats, 'null')))
        ELSE '{}' END)::text AS row
FROM refsync.webhook_deliveries d
LEFT JOIN refsync.syncs s ON d.takes_stats AND s.id = d.subject
LEFT JOIN refsync.run_stats r ON r.id = s.stats_id
LEFT JOIN refsync.webhook_stats w ON d.takes_stats AND w.sync_id = d.subject
WHERE d.seq = ($1::jsonb ->> 'seq')::bigint AND d.lease = $1::jsonb ->> 'lease'
