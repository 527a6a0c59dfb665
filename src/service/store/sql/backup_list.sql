-- repo_id, direction, listed: the refs under refs/refsync/backup/, as an array of {name, id}. Returns the Backups of the API.
SELECT jsonb_build_object('backups', coalesce(jsonb_agg(jsonb_build_object(
    'ref', 'refs/' || split.parts[2],
    'oid', split.parts[1],
    'backup', listed.name,
    'created_at', refsync.rfc3339(b.created_at)) ORDER BY listed.name), '[]'))::text AS row
FROM jsonb_to_recordset($1::jsonb -> 'listed') AS listed (name text)
CROSS JOIN LATERAL (SELECT regexp_match(listed.name, '^refs/refsync/backup/([0-9a-f]+)/(?:[0-9]+/)?(.+)') AS parts) split
LEFT JOIN refsync.backups b ON b.repo_id = $1::jsonb ->> 'repo_id' AND b.direction = $1::jsonb ->> 'direction'
    AND b.backup = listed.name
WHERE split.parts IS NOT NULL
