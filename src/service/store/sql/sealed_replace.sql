-- place: the column, owner_id, sealed: the stored text, sealed_anew: the text that replaces it. Changes nothing if the
-- stored text has changed meanwhile.
WITH upstream AS (
    UPDATE refsync.repos SET upstream_auth = $1::jsonb ->> 'sealed_anew'
    WHERE $1::jsonb ->> 'place' = 'upstream_auth' AND id = $1::jsonb ->> 'owner_id' AND upstream_auth = $1::jsonb ->> 'sealed'
), origin AS (
    UPDATE refsync.repos SET origin_auth = $1::jsonb ->> 'sealed_anew'
    WHERE $1::jsonb ->> 'place' = 'origin_auth' AND id || '/origin' = $1::jsonb ->> 'owner_id' AND origin_auth = $1::jsonb ->> 'sealed'
), hook AS (
    UPDATE refsync.repos SET hook_secret = $1::jsonb ->> 'sealed_anew'
    WHERE $1::jsonb ->> 'place' = 'hook_secret' AND id || '/hook' = $1::jsonb ->> 'owner_id' AND hook_secret = $1::jsonb ->> 'sealed'
), target AS (
    UPDATE refsync.webhook_targets SET
        secret = CASE $1::jsonb ->> 'place' WHEN 'secret' THEN $1::jsonb ->> 'sealed_anew' ELSE secret END,
        previous_secret = CASE $1::jsonb ->> 'place' WHEN 'previous_secret' THEN $1::jsonb ->> 'sealed_anew' ELSE previous_secret END
    WHERE id = $1::jsonb ->> 'owner_id' AND $1::jsonb ->> 'sealed' = CASE $1::jsonb ->> 'place'
        WHEN 'secret' THEN secret WHEN 'previous_secret' THEN previous_secret END
)
SELECT 'true' AS row
