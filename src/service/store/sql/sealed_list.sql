-- Every stored secret: its column, its owner, the URL that it is sent to (null for a secret that is not sent), and the
-- sealed text.
SELECT jsonb_build_object('place', place, 'owner_id', owner_id, 'url', url, 'sealed', sealed)::text AS row
FROM (
    SELECT 'upstream_auth' AS place, id AS owner_id, upstream_url AS url, upstream_auth AS sealed FROM refsync.repos
    UNION ALL SELECT 'origin_auth', id || '/origin', origin_url, origin_auth FROM refsync.repos
    UNION ALL SELECT 'hook_secret', id || '/hook', NULL, hook_secret FROM refsync.repos
    UNION ALL SELECT 'secret', id, NULL, secret FROM refsync.webhook_targets
    UNION ALL SELECT 'previous_secret', id, NULL, previous_secret FROM refsync.webhook_targets
) secrets
WHERE sealed IS NOT NULL
