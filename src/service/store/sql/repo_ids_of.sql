-- org: the organisation's slug, repos: an array of ids or of names in any case. Returns each with the repository's id, or
-- null.
SELECT jsonb_build_object('asked', asked.repo, 'id', (
    SELECT r.id
    FROM refsync.repos r
    JOIN refsync.organizations o ON o.id = r.org_id
    WHERE o.slug = $1::jsonb ->> 'org' AND (r.id = asked.repo OR lower(r.name) = lower(asked.repo))
    ORDER BY r.id = asked.repo DESC
    LIMIT 1))::text AS row
FROM jsonb_array_elements_text($1::jsonb -> 'repos') asked (repo)
