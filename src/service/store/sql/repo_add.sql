-- $1 id, $2 organisation id, $3 name, $4 default bookmark, $5 tags, $6 upstream URL, $7 auth kind, $8 sealed auth, $9 the
-- head's change id, $10 the schedule, $11 when it comes first, in milliseconds since 1970, $12 the origin's URL, $13 its auth
-- kind, $14 its sealed auth, $15 whether the default bookmark was asked for. No row where the organisation has a repository of that name.
INSERT INTO refsync.repos (id, org_id, name, default_bookmark, tags, upstream_url, upstream_auth_kind, upstream_auth,
    schedule, schedule_at, origin_url, origin_auth_kind, origin_auth, default_bookmark_asked_for, head_is_known)
VALUES ($1::text, $2::text, $3::text, $4::text, $5::jsonb, $6::text, $7::text, $8::text,
    $10::jsonb, to_timestamp($11::float8 / 1000), $12::text, $13::text, $14::text, $15::boolean, true)
ON CONFLICT (org_id, lower(name)) DO NOTHING
RETURNING refsync.announce_repo(repos, 'repo.created', $9::text, '{}')::text AS row
