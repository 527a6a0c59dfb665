-- The steady clock is the database's clock plus `clock_back`: by how much it was set back so far. Ages are measured with it.
-- `clock_mark` is a recent steady time. With it, a process notices at its start that the clock was set back while none ran.
ALTER TABLE refsync.service
    ADD COLUMN clock_back interval NOT NULL DEFAULT '0',
    ADD COLUMN clock_mark timestamptz;

ALTER TABLE refsync.repos
    ADD COLUMN upstream_max_age text,
    ADD COLUMN upstream_public_badge boolean NOT NULL DEFAULT false,
    -- upstream_verified_at by the steady clock.
    ADD COLUMN upstream_verified_steady timestamptz,
    -- Since when there is a promise to watch, by the steady clock.
    ADD COLUMN upstream_watched_from timestamptz,
    -- When the promise is checked next, by the steady clock; null if only a change can make a difference.
    ADD COLUMN upstream_check_at timestamptz,
    -- When it was found to be stale; null if it is not.
    ADD COLUMN upstream_stale_at timestamptz,
    -- Counts the changes after which an older run proves nothing.
    ADD COLUMN upstream_epoch int NOT NULL DEFAULT 0;
CREATE INDEX repos_checked ON refsync.repos (upstream_check_at) WHERE upstream_check_at IS NOT NULL;

-- The start of the current attempt by the steady clock, and the epoch of its upstream.
ALTER TABLE refsync.syncs
    ADD COLUMN started_steady timestamptz,
    ADD COLUMN upstream_epoch int;

-- The refs that the last run found diverged. Their event was sent.
CREATE TABLE refsync.diverged (
    repo_id text NOT NULL REFERENCES refsync.repos (id) ON DELETE CASCADE,
    direction text NOT NULL,
    name text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repo_id, direction, name));

-- Whom a delivery is written for; null for programs.
ALTER TABLE refsync.webhook_targets ADD COLUMN format text;

-- Starts the watch again if the promise or what it is about has changed.
CREATE FUNCTION refsync.watch_upstream() RETURNS trigger LANGUAGE plpgsql AS $fn$
DECLARE
    steady timestamptz := now() + (SELECT clock_back FROM refsync.service);
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.upstream_watched_from := coalesce(NEW.upstream_watched_from, steady);
        NEW.upstream_check_at := steady;
        RETURN NEW;
    END IF;
    IF (NEW.upstream_url, NEW.origin_url, NEW.upstream_policy -> 'exclude', coalesce(NEW.schedule ->> 'direction', 'pull'))
        IS DISTINCT FROM
        (OLD.upstream_url, OLD.origin_url, OLD.upstream_policy -> 'exclude', coalesce(OLD.schedule ->> 'direction', 'pull')) THEN
        NEW.upstream_epoch := OLD.upstream_epoch + 1;
        NEW.upstream_verified_at := NULL;
        NEW.upstream_verified_steady := NULL;
        NEW.upstream_behind := NULL;
        NEW.upstream_stale_at := NULL;
        NEW.upstream_watched_from := steady;
    END IF;
    IF NEW.upstream_max_age IS NULL OR NEW.upstream_url IS NULL THEN
        NEW.upstream_watched_from := NULL;
        NEW.upstream_check_at := NULL;
        NEW.upstream_stale_at := NULL;
    ELSIF NEW.upstream_epoch <> OLD.upstream_epoch OR NEW.upstream_max_age IS DISTINCT FROM OLD.upstream_max_age
        OR (NEW.damage IS NULL) <> (OLD.damage IS NULL) THEN
        NEW.upstream_watched_from := coalesce(NEW.upstream_watched_from, steady);
        NEW.upstream_check_at := steady;
    END IF;
    RETURN NEW;
END $fn$;
CREATE TRIGGER repos_watched_anew BEFORE UPDATE OF upstream_url, origin_url, upstream_policy, schedule, upstream_max_age, damage
    ON refsync.repos FOR EACH ROW EXECUTE FUNCTION refsync.watch_upstream();
CREATE TRIGGER repos_watched_first BEFORE INSERT ON refsync.repos
    FOR EACH ROW WHEN (NEW.upstream_max_age IS NOT NULL) EXECUTE FUNCTION refsync.watch_upstream();

-- What was found of another upstream goes.
CREATE FUNCTION refsync.forget_upstream() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    DELETE FROM refsync.held WHERE repo_id = NEW.id;
    DELETE FROM refsync.diverged WHERE repo_id = NEW.id;
    RETURN NULL;
END $fn$;
CREATE TRIGGER repos_upstream_left AFTER UPDATE OF upstream_url ON refsync.repos
    FOR EACH ROW WHEN (OLD.upstream_url IS DISTINCT FROM NEW.upstream_url) EXECUTE FUNCTION refsync.forget_upstream();
