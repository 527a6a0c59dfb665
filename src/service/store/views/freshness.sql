-- The steady time: the database's time plus what its clock was set back so far. `at_least`: what a process knows that it is
-- at least, in milliseconds since 1970, or null.
CREATE OR REPLACE FUNCTION refsync.steady(at_least float8) RETURNS timestamptz LANGUAGE sql STABLE AS $fn$
    SELECT greatest(now() + (SELECT clock_back FROM refsync.service), to_timestamp(at_least / 1000))
$fn$;

-- The Freshness of the API. A repository whose files are damaged is not fresh.
CREATE OR REPLACE FUNCTION refsync.freshness(r refsync.repos, max_age text, steady timestamptz) RETURNS jsonb
LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'fresh', r.damage IS NULL AND coalesce(verified.age <= max_age::interval, false),
        'verified_at', CASE WHEN verified.age IS NOT NULL THEN refsync.rfc3339(r.upstream_verified_at) END,
        'age_seconds', ceil(extract(epoch FROM verified.age))::bigint,
        'max_age', max_age,
        'behind', r.upstream_behind)
    FROM (SELECT freshness.steady - r.upstream_verified_steady AS age) verified
$fn$;

-- Announces a change of a repository's upstream, and gives 1.
CREATE OR REPLACE FUNCTION refsync.announce_upstream(r refsync.repos, type text, data jsonb) RETURNS int
LANGUAGE sql VOLATILE AS $fn$
    SELECT refsync.announce(r, r.id, announce_upstream.type, announce_upstream.data);
    SELECT 1
$fn$;
