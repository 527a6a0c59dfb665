-- The HeldRef of the API.
CREATE OR REPLACE FUNCTION refsync.held_ref(h refsync.held) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'name', h.name,
        'from', h.from_id,
        'to', h.to_id,
        'ahead', h.ahead,
        'behind', h.behind,
        'direction', h.direction,
        'since', refsync.rfc3339(h.since),
        'approved', h.approved_at IS NOT NULL)
$fn$;

-- Announces moves that are held from now on, and gives how many there are.
CREATE OR REPLACE FUNCTION refsync.announce_held(r refsync.repos, direction text, refs jsonb) RETURNS int
LANGUAGE sql VOLATILE AS $fn$
    SELECT refsync.announce(r, r.id, 'upstream.held', jsonb_build_object(
        'direction', announce_held.direction,
        'count', jsonb_array_length(refs),
        'refs', jsonb_path_query_array(refs, '$[0 to 99]')));
    SELECT jsonb_array_length(refs)
$fn$;
