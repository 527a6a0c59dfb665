-- repo_id, direction, policy: the keys that a sync brings, or null. Returns its upstream with the sealed credential, and the policy. No row if it has none.
SELECT jsonb_build_object('url', r.upstream_url, 'auth', r.upstream_auth,
    'policy', refsync.task_policy(
        r.id, $1::jsonb ->> 'direction', refsync.policy(r.upstream_policy, nullif($1::jsonb -> 'policy', 'null'))))::text AS row
FROM refsync.repos r
WHERE r.id = $1::jsonb ->> 'repo_id' AND r.upstream_url IS NOT NULL
