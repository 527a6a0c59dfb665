-- The Organization of the API.
CREATE OR REPLACE FUNCTION refsync.organization(o refsync.organizations) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'id', o.id,
        'slug', o.slug,
        'name', o.name,
        'created_at', refsync.rfc3339(o.created_at),
        'num_repos', (SELECT count(*) FROM refsync.repos r WHERE r.org_id = o.id))
$fn$;

-- The organization of a Whoami and of a webhook.
CREATE OR REPLACE FUNCTION refsync.whoami_org(o refsync.organizations) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name)
$fn$;
