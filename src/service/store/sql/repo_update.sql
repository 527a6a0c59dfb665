-- $1 repository id, $2 name, $3 default bookmark, $4 tags to merge (null values remove); null keeps each of them.
-- $5 upstream: keep, remove or set to the URL $6; $7 its auth: keep, or set to the kind $8 and the sealed $9; $10 the
-- change id of what is then the head; $11 its schedule: keep, or set to $12, which comes first at $13, in milliseconds
-- since 1970. A new URL, credential or schedule ends a pause. $14 the origin: keep, remove, which makes the service the host,
-- or set to the URL $15; $16 its auth: keep, or set to the kind $17 and the sealed $18; $19 how many tags it may have. An auth that
-- is kept beside a new URL stays only if the present URL is $20, or the origin's is $21: then both URLs are at the server that it
-- belongs to. No row if the repository is gone, or would have more tags than $19 and more than it has.
WITH old AS (
    SELECT * FROM refsync.repos WHERE id = $1::text FOR UPDATE
)
UPDATE refsync.repos r SET
    name = coalesce($2::text, r.name),
    default_bookmark = coalesce($3::text, r.default_bookmark),
    default_bookmark_asked_for = CASE WHEN $3::text IS NULL THEN r.default_bookmark_asked_for ELSE true END,
    tags = merged.tags,
    upstream_url = CASE $5::text WHEN 'keep' THEN r.upstream_url WHEN 'set' THEN $6::text END,
    upstream_verified_at = CASE WHEN $5::text = 'keep' OR $6::text = r.upstream_url THEN r.upstream_verified_at END,
    upstream_behind = CASE WHEN $5::text = 'keep' OR $6::text = r.upstream_url THEN r.upstream_behind END,
    upstream_auth_kind = CASE WHEN $7::text = 'set' THEN $8::text WHEN stays.upstream_auth THEN r.upstream_auth_kind END,
    schedule = CASE WHEN $5::text = 'remove' THEN NULL WHEN $11::text = 'keep' THEN r.schedule ELSE $12::jsonb END,
    schedule_at = CASE WHEN $5::text = 'remove' THEN NULL WHEN $11::text = 'keep' THEN r.schedule_at
        ELSE to_timestamp($13::float8 / 1000) END,
    upstream_refusals = CASE WHEN changed.anew THEN 0 ELSE r.upstream_refusals END,
    upstream_paused_at = CASE WHEN NOT changed.anew THEN r.upstream_paused_at END,
    upstream_pause_reason = CASE WHEN NOT changed.anew THEN r.upstream_pause_reason END,
    upstream_auth = CASE WHEN $7::text = 'set' THEN $9::text WHEN stays.upstream_auth THEN r.upstream_auth END,
    origin_url = CASE $14::text WHEN 'keep' THEN r.origin_url WHEN 'set' THEN $15::text END,
    origin_auth_kind = CASE WHEN $16::text = 'set' THEN $17::text WHEN stays.origin_auth THEN r.origin_auth_kind END,
    origin_auth = CASE WHEN $16::text = 'set' THEN $18::text WHEN stays.origin_auth THEN r.origin_auth END,
    origin_head = CASE WHEN $14::text = 'keep' OR $15::text = r.origin_url THEN r.origin_head END,
    -- HEAD is moved after this.
    head_is_known = r.head_is_known AND $3::text IS NULL AND $14::text = 'keep'
FROM old
CROSS JOIN LATERAL (SELECT $7::text = 'set' OR $11::text = 'set' OR $5::text <> 'keep' AND $6::text IS DISTINCT FROM old.upstream_url
    AS anew) changed
CROSS JOIN LATERAL (SELECT
    $5::text = 'keep' OR $5::text = 'set' AND old.upstream_url IS NOT DISTINCT FROM $20::text AS upstream_auth,
    $14::text = 'keep' OR $14::text = 'set' AND old.origin_url IS NOT DISTINCT FROM $21::text AS origin_auth) stays
CROSS JOIN LATERAL (SELECT jsonb_strip_nulls(old.tags || coalesce($4::jsonb, '{}')) AS tags) merged
WHERE r.id = old.id AND (SELECT count(*) FROM jsonb_object_keys(merged.tags))
    <= greatest($19::int, (SELECT count(*) FROM jsonb_object_keys(old.tags)))
-- Whether the default bookmark was asked for, and whether the head is known, are not shown, and so no news.
RETURNING (CASE WHEN to_jsonb(r) - '{default_bookmark_asked_for,head_is_known}'::text[]
        = to_jsonb(old) - '{default_bookmark_asked_for,head_is_known}'::text[] THEN refsync.repo(r)
    ELSE refsync.announce_repo(r, 'repo.updated', $10::text, jsonb_build_object(
        'before', jsonb_build_object('name', old.name, 'default_bookmark', old.default_bookmark, 'tags', old.tags),
        'after', jsonb_build_object('name', r.name, 'default_bookmark', r.default_bookmark, 'tags', r.tags)))
    END)::text AS row
