-- org_id, repo_ids: an array. Returns the ids that the organisation does not have.
SELECT to_jsonb(asked.id)::text AS row
FROM jsonb_array_elements_text($1::jsonb -> 'repo_ids') asked (id)
WHERE NOT EXISTS (SELECT FROM refsync.repos r WHERE r.org_id = $1::jsonb ->> 'org_id' AND r.id = asked.id)
