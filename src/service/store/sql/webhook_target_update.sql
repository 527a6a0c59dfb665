-- org_id, target_id, url and events (null or absent keeps each of them), name, repo_ids and format (absent keeps, null removes). If
-- the URL changes, deliveries stop waiting for the old one.
UPDATE refsync.webhook_targets SET
    url = coalesce($1::jsonb ->> 'url', url),
    hangs = CASE WHEN $1::jsonb ->> 'url' <> url THEN 0 ELSE hangs END,
    waits_until = CASE WHEN $1::jsonb ->> 'url' <> url THEN NULL ELSE waits_until END,
    events = coalesce(nullif($1::jsonb -> 'events', 'null'), events),
    name = CASE WHEN $1::jsonb ? 'name' THEN $1::jsonb ->> 'name' ELSE name END,
    repo_ids = CASE WHEN $1::jsonb ? 'repo_ids' THEN nullif($1::jsonb -> 'repo_ids', 'null') ELSE repo_ids END,
    format = CASE WHEN $1::jsonb ? 'format' THEN $1::jsonb ->> 'format' ELSE format END,
    updated_at = now()
WHERE org_id = $1::jsonb ->> 'org_id' AND id = $1::jsonb ->> 'target_id'
RETURNING refsync.webhook_target(webhook_targets)::text AS row
