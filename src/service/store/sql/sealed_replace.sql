-- $1 which column, $2 whose, $3 the sealed text that is there, $4 the one to put in its place. Nothing where it is another
-- text by now.
WITH upstream AS (
    UPDATE refsync.repos SET upstream_auth = $4::text
    WHERE $1::text = 'upstream_auth' AND id = $2::text AND upstream_auth = $3::text
), origin AS (
    UPDATE refsync.repos SET origin_auth = $4::text
    WHERE $1::text = 'origin_auth' AND id || '/origin' = $2::text AND origin_auth = $3::text
), target AS (
    UPDATE refsync.webhook_targets SET
        secret = CASE $1::text WHEN 'secret' THEN $4::text ELSE secret END,
        previous_secret = CASE $1::text WHEN 'previous_secret' THEN $4::text ELSE previous_secret END
    WHERE id = $2::text AND $3::text = CASE $1::text WHEN 'secret' THEN secret WHEN 'previous_secret' THEN previous_secret END
)
SELECT 'true' AS row
