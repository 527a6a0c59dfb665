-- $1 organisation id, $2 target id, $3 URL, $4 events; null keeps each of them. $5 name: keep, or set to $6; $7 repository
-- ids: keep, or set to $8. At a new URL nobody has to wait for the old one.
UPDATE refsync.webhook_targets SET
    url = coalesce($3::text, url),
    hangs = CASE WHEN $3::text <> url THEN 0 ELSE hangs END,
    waits_until = CASE WHEN $3::text <> url THEN NULL ELSE waits_until END,
    events = coalesce($4::jsonb, events),
    name = CASE $5::text WHEN 'keep' THEN name ELSE $6::text END,
    repo_ids = CASE $7::text WHEN 'keep' THEN repo_ids ELSE $8::jsonb END,
    updated_at = now()
WHERE org_id = $1::text AND id = $2::text
RETURNING refsync.webhook_target(webhook_targets)::text AS row
