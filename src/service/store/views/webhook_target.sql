-- The WebhookTarget of the API.
CREATE OR REPLACE FUNCTION refsync.webhook_target(t refsync.webhook_targets) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'id', t.id,
        'name', t.name,
        'url', t.url,
        'events', t.events,
        'repo_ids', t.repo_ids,
        'created_at', refsync.rfc3339(t.created_at),
        'updated_at', refsync.rfc3339(t.updated_at))
        || CASE WHEN t.format IS NOT NULL THEN jsonb_build_object('format', t.format) ELSE '{}' END
$fn$;
