-- repo_id, refs: an array of {name, from, to}, which may be empty. Approves these moves if all of them are held.
-- Returns the HeldRefs of the API as `answer`, or the index of the first move that is not held and the message as `at` and `message`.
WITH asked AS MATERIALIZED (
    SELECT at - 1 AS at, wanted ->> 'name' AS name, wanted ->> 'from' AS "from", wanted ->> 'to' AS "to"
    FROM jsonb_array_elements($1::jsonb -> 'refs') WITH ORDINALITY refs (wanted, at)
), found AS MATERIALIZED (
    SELECT asked.at, h.repo_id, h.direction, h.name
    FROM refsync.held h
    JOIN asked ON asked.name = h.name AND asked."from" = h.from_id AND asked."to" = h.to_id
    WHERE h.repo_id = $1::jsonb ->> 'repo_id'
    FOR UPDATE OF h
), missing AS (
    SELECT asked.at, coalesce(
        (SELECT format('%s is held from %s to %s, and not with these ids', h.name, h.from_id, h.to_id)
        FROM refsync.held h WHERE h.repo_id = $1::jsonb ->> 'repo_id' AND h.name = asked.name LIMIT 1),
        'is not held; GET …/upstream/held lists the held refs') AS message
    FROM asked
    WHERE NOT EXISTS (SELECT FROM found WHERE found.at = asked.at)
    ORDER BY asked.at
    LIMIT 1
), approved AS (
    UPDATE refsync.held h SET approved_at = coalesce(h.approved_at, now())
    FROM found
    WHERE h.repo_id = found.repo_id AND h.direction = found.direction AND h.name = found.name
        AND NOT EXISTS (SELECT FROM missing)
    RETURNING h.*
)
SELECT jsonb_build_object(
    'at', (SELECT at FROM missing),
    'message', (SELECT message FROM missing),
    -- This statement does not see its own update.
    'answer', jsonb_build_object('held', (
        SELECT coalesce(jsonb_agg(
            refsync.held_ref(h) || CASE WHEN approved.name IS NOT NULL THEN '{"approved": true}'::jsonb ELSE '{}' END
            ORDER BY h.name, h.direction), '[]')
        FROM refsync.held h
        LEFT JOIN approved USING (repo_id, direction, name)
        WHERE h.repo_id = $1::jsonb ->> 'repo_id'))::text)::text AS row
