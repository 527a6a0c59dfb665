-- $1 organisation id, $2 an array of repository ids. Those of them that the organisation does not have.
SELECT to_jsonb(asked.id)::text AS row
FROM jsonb_array_elements_text($2::jsonb) asked (id)
WHERE NOT EXISTS (SELECT FROM refsync.repos r WHERE r.org_id = $1::text AND r.id = asked.id)
