-- Updates a repository. No row if it is gone, or if it would have more tags than max_tags and more than it has now.
-- - repo_id.
-- - name, default_bookmark: null or absent keeps the stored value.
-- - tags: are merged into the stored ones; a null value removes a tag. max_tags: how many the repository may have.
-- - change_id: of the new head.
-- - upstream: {url, auth, kept_url, schedule, schedule_at, policy, on_push, max_age, public_badge}. Absent keeps it, null removes it, and
--   its hook.
-- - origin: {url, auth, kept_url}. Absent keeps it; null removes it, and the service hosts the repository.
-- - auth: {kind, sealed}, or null for none. If it is absent, the stored credential stays only if the stored URL is
--   kept_url. Then both URLs are on the server that the credential belongs to.
-- - schedule: absent keeps it, null removes it. schedule_at: its first time, in milliseconds since 1970.
--
-- - policy: absent keeps it, null sets the defaults. on_push: absent or null keeps it. max_age: absent keeps it, null removes it.
--   public_badge: absent keeps it.
--
-- A new URL, credential or schedule ends a pause.
WITH old AS (
    SELECT * FROM refsync.repos WHERE id = $1::jsonb ->> 'repo_id' FOR UPDATE
)
UPDATE refsync.repos r SET
    name = coalesce(asked.name, r.name),
    default_bookmark = coalesce(asked.default_bookmark, r.default_bookmark),
    default_bookmark_asked_for = CASE WHEN asked.default_bookmark IS NULL THEN r.default_bookmark_asked_for ELSE true END,
    tags = merged.tags,
    upstream_url = CASE WHEN has.upstream THEN asked.upstream ->> 'url' ELSE r.upstream_url END,
    upstream_verified_at = CASE WHEN stays.upstream_url THEN r.upstream_verified_at END,
    upstream_behind = CASE WHEN stays.upstream_url THEN r.upstream_behind END,
    upstream_auth_kind = CASE WHEN has.upstream_auth THEN asked.upstream #>> '{auth,kind}'
        WHEN stays.upstream_auth THEN r.upstream_auth_kind END,
    upstream_auth = CASE WHEN has.upstream_auth THEN asked.upstream #>> '{auth,sealed}'
        WHEN stays.upstream_auth THEN r.upstream_auth END,
    schedule = CASE WHEN has.schedule THEN nullif(asked.upstream -> 'schedule', 'null') WHEN stays.schedule THEN r.schedule END,
    schedule_at = CASE WHEN has.schedule THEN to_timestamp((asked.upstream ->> 'schedule_at')::float8 / 1000)
        WHEN stays.schedule THEN r.schedule_at END,
    upstream_policy = CASE WHEN has.policy THEN nullif(asked.upstream -> 'policy', 'null')
        WHEN stays.schedule THEN r.upstream_policy END,
    on_push = stays.schedule AND coalesce((asked.upstream ->> 'on_push')::boolean, r.on_push),
    hook_id = CASE WHEN stays.schedule THEN r.hook_id END,
    hook_secret = CASE WHEN stays.schedule THEN r.hook_secret END,
    upstream_max_age = CASE WHEN asked.upstream ? 'max_age' THEN asked.upstream ->> 'max_age'
        WHEN stays.schedule THEN r.upstream_max_age END,
    upstream_public_badge = CASE WHEN asked.upstream ? 'public_badge' THEN (asked.upstream ->> 'public_badge')::boolean
        ELSE stays.schedule AND r.upstream_public_badge END,
    upstream_refusals = CASE WHEN changed.anew THEN 0 ELSE r.upstream_refusals END,
    upstream_paused_at = CASE WHEN NOT changed.anew THEN r.upstream_paused_at END,
    upstream_pause_reason = CASE WHEN NOT changed.anew THEN r.upstream_pause_reason END,
    origin_url = CASE WHEN has.origin THEN asked.origin ->> 'url' ELSE r.origin_url END,
    origin_auth_kind = CASE WHEN has.origin_auth THEN asked.origin #>> '{auth,kind}'
        WHEN stays.origin_auth THEN r.origin_auth_kind END,
    origin_auth = CASE WHEN has.origin_auth THEN asked.origin #>> '{auth,sealed}' WHEN stays.origin_auth THEN r.origin_auth END,
    origin_head = CASE WHEN stays.origin_url THEN r.origin_head END,
    -- HEAD is moved after this statement.
    head_is_known = r.head_is_known AND asked.default_bookmark IS NULL AND NOT has.origin
FROM old
CROSS JOIN jsonb_to_record($1::jsonb) AS asked (
    name text, default_bookmark text, tags jsonb, max_tags int, change_id text, upstream jsonb, origin jsonb)
CROSS JOIN LATERAL (SELECT
    $1::jsonb ? 'upstream' AS upstream,
    asked.upstream ? 'auth' AS upstream_auth,
    asked.upstream ? 'schedule' AS schedule,
    asked.upstream ? 'policy' AS policy,
    $1::jsonb ? 'origin' AS origin,
    asked.origin ? 'auth' AS origin_auth) has
CROSS JOIN LATERAL (SELECT
    NOT has.upstream OR asked.upstream ->> 'url' = old.upstream_url AS upstream_url,
    NOT has.upstream OR asked.upstream IS NOT NULL
        AND old.upstream_url IS NOT DISTINCT FROM (asked.upstream ->> 'kept_url') AS upstream_auth,
    NOT has.upstream OR asked.upstream IS NOT NULL AS schedule,
    NOT has.origin OR asked.origin ->> 'url' = old.origin_url AS origin_url,
    NOT has.origin OR asked.origin IS NOT NULL
        AND old.origin_url IS NOT DISTINCT FROM (asked.origin ->> 'kept_url') AS origin_auth) stays
CROSS JOIN LATERAL (SELECT has.upstream_auth IS TRUE OR has.schedule IS TRUE
    OR has.upstream AND asked.upstream ->> 'url' IS DISTINCT FROM old.upstream_url AS anew) changed
CROSS JOIN LATERAL (SELECT jsonb_strip_nulls(old.tags || coalesce(asked.tags, '{}')) AS tags) merged
WHERE r.id = old.id AND (SELECT count(*) FROM jsonb_object_keys(merged.tags))
    <= greatest(asked.max_tags, (SELECT count(*) FROM jsonb_object_keys(old.tags)))
-- The API does not show whether the default bookmark was requested, or whether the head is known. So a change of these is
-- no event.
RETURNING (CASE WHEN to_jsonb(r) - '{default_bookmark_asked_for,head_is_known}'::text[]
        = to_jsonb(old) - '{default_bookmark_asked_for,head_is_known}'::text[] THEN refsync.repo(r)
    ELSE refsync.announce_repo(r, 'repo.updated', asked.change_id, jsonb_build_object(
        'before', jsonb_build_object('name', old.name, 'default_bookmark', old.default_bookmark, 'tags', old.tags),
        'after', jsonb_build_object('name', r.name, 'default_bookmark', r.default_bookmark, 'tags', r.tags)))
    END)::text AS row
