-- id, org_id, name, default_bookmark, default_bookmark_asked_for: whether a request named it, tags, change_id: of the head,
-- upstream_url, upstream_auth: {kind, sealed}, upstream_policy, on_push, max_age, public_badge, schedule, schedule_at: its first time, in
-- milliseconds since 1970, origin_url, origin_auth: {kind, sealed}. The keys of the upstream and the origin may be null. No row if the
-- organisation has a repository with that name.
INSERT INTO refsync.repos (id, org_id, name, default_bookmark, tags, upstream_url, upstream_auth_kind, upstream_auth,
    upstream_policy, on_push, upstream_max_age, upstream_public_badge, schedule, schedule_at, origin_url, origin_auth_kind, origin_auth,
    default_bookmark_asked_for, head_is_known)
SELECT asked.id, asked.org_id, asked.name, asked.default_bookmark, asked.tags,
    asked.upstream_url, asked.upstream_auth ->> 'kind', asked.upstream_auth ->> 'sealed',
    asked.upstream_policy, coalesce(asked.on_push, false), asked.max_age, coalesce(asked.public_badge, false),
    asked.schedule, to_timestamp(asked.schedule_at / 1000),
    asked.origin_url, asked.origin_auth ->> 'kind', asked.origin_auth ->> 'sealed', asked.default_bookmark_asked_for, true
FROM jsonb_to_record($1::jsonb) AS asked (
    id text, org_id text, name text, default_bookmark text, default_bookmark_asked_for boolean, tags jsonb,
    upstream_url text, upstream_auth jsonb, upstream_policy jsonb, on_push boolean, max_age text, public_badge boolean,
    schedule jsonb, schedule_at float8, origin_url text, origin_auth jsonb)
ON CONFLICT (org_id, lower(name)) DO NOTHING
RETURNING refsync.announce_repo(repos, 'repo.created', $1::jsonb ->> 'change_id', '{}')::text AS row
