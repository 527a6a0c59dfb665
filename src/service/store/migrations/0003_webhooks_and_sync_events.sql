CREATE TABLE refsync.webhook_targets (
    id text PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    org_id text NOT NULL REFERENCES refsync.organizations ON DELETE CASCADE,
    name text,
    url text NOT NULL,
    -- An array of event names.
    events jsonb NOT NULL,
    -- An array of repository ids; null is the whole organisation.
    repo_ids jsonb,
    -- What signs deliveries, sealed with the service's secret key.
    secret text NOT NULL,
    -- The one before it, which is also tried until then.
    previous_secret text,
    previous_secret_expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((previous_secret IS NULL) = (previous_secret_expires_at IS NULL))
);
CREATE INDEX webhook_targets_newest ON refsync.webhook_targets (org_id, seq DESC);

-- The outbox: what is still to be delivered, one row for each event and target. A delivered row is deleted.
CREATE TABLE refsync.webhook_deliveries (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target_id text NOT NULL REFERENCES refsync.webhook_targets ON DELETE CASCADE,
    -- The sync or the repository whose events a target gets in order.
    subject text NOT NULL,
    envelope jsonb NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    run_after timestamptz NOT NULL DEFAULT now(),
    lease text,
    lease_expires_at timestamptz,
    CHECK ((lease IS NULL) = (lease_expires_at IS NULL))
);
CREATE INDEX webhook_deliveries_ordered ON refsync.webhook_deliveries (target_id, subject, seq);
CREATE INDEX webhook_deliveries_due ON refsync.webhook_deliveries (run_after, seq);
CREATE INDEX webhook_deliveries_leased ON refsync.webhook_deliveries (target_id) WHERE lease IS NOT NULL;

-- Every status that a run had, for those who follow it. Its stats are on the run alone.
CREATE TABLE refsync.sync_events (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_id text NOT NULL REFERENCES refsync.syncs ON DELETE CASCADE,
    run jsonb NOT NULL
);
CREATE INDEX sync_events_ordered ON refsync.sync_events (sync_id, seq);

-- Puts an event into the outbox, once for each target that wants it. To be called by the statement that makes it happen,
-- so that neither is there without the other.
CREATE FUNCTION refsync.announce(r refsync.repos, subject text, type text, data jsonb) RETURNS void
LANGUAGE sql VOLATILE AS $fn$
    WITH event AS MATERIALIZED (
        SELECT refsync.new_id('evt') AS id, refsync.rfc3339(clock_timestamp()) AS occurred_at
    )
    INSERT INTO refsync.webhook_deliveries (target_id, subject, envelope)
    SELECT t.id, announce.subject, jsonb_build_object(
        'id', event.id,
        'type', announce.type,
        'occurred_at', event.occurred_at,
        'organization', jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name),
        -- Delivery puts the service's own address before it.
        'repository', jsonb_build_object('id', r.id, 'name', r.name, 'url', format('/%s/%s.git', o.slug, r.name)),
        'data', announce.data)
    FROM refsync.webhook_targets t
    JOIN refsync.organizations o ON o.id = t.org_id
    CROSS JOIN event
    WHERE t.org_id = r.org_id
        AND t.events @> to_jsonb(announce.type)
        AND (t.repo_ids IS NULL OR t.repo_ids @> to_jsonb(r.id))
$fn$;

-- Announces a run's new status, and gives the run.
CREATE FUNCTION refsync.announce_sync(s refsync.syncs) RETURNS jsonb LANGUAGE sql VOLATILE AS $fn$
    INSERT INTO refsync.sync_events (sync_id, run) VALUES (s.id, refsync.sync_run(s) - 'stats');
    SELECT refsync.announce(r, s.id, 'sync.' || s.status, jsonb_build_object('sync', refsync.sync_run(s)))
    FROM refsync.repos r WHERE r.id = s.repo_id;
    SELECT refsync.sync_run(s)
$fn$;

-- Announces what became of a repository, whose head only Git knows, and gives the repository.
CREATE FUNCTION refsync.announce_repo(r refsync.repos, type text, head_change_id text, more jsonb) RETURNS jsonb
LANGUAGE sql VOLATILE AS $fn$
    SELECT refsync.announce(r, r.id, announce_repo.type, more || jsonb_build_object('repo', jsonb_build_object(
        'id', r.id,
        'name', r.name,
        'default_bookmark', r.default_bookmark,
        'head_change_id', announce_repo.head_change_id,
        'created_at', refsync.rfc3339(r.created_at),
        'tags', r.tags)));
    SELECT refsync.repo(r)
$fn$;

-- The WebhookTarget of the API.
CREATE FUNCTION refsync.webhook_target(t refsync.webhook_targets) RETURNS jsonb LANGUAGE sql STABLE AS $fn$
    SELECT jsonb_build_object(
        'id', t.id,
        'name', t.name,
        'url', t.url,
        'events', t.events,
        'repo_ids', t.repo_ids,
        'created_at', refsync.rfc3339(t.created_at),
        'updated_at', refsync.rfc3339(t.updated_at))
$fn$;
