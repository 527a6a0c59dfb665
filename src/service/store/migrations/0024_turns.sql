-- Who comes next: one row for each repository that has open runs. It has the run in progress, or else the queued run that is next.
-- So a claim reads neither the other runs of a repository nor runs that have ended. Triggers keep the rows, whoever writes runs.
CREATE TABLE refsync.turns (
    repo_id text PRIMARY KEY REFERENCES refsync.repos ON DELETE CASCADE,
    sync_id text NOT NULL,
    seq bigint NOT NULL,
    -- The time from which the run may start.
    run_after timestamptz NOT NULL,
    -- 0: may start. 1: waits for its time. 2: in progress, but its worker was lost. 3: in progress. The change from 1 to 0 and the
    -- change from 3 to 2 come with time, so `queue_give_up` looks for them.
    state int NOT NULL,
    org_id text NOT NULL,
    -- The host of the upstream; null if the upstream was removed.
    host text,
    -- One for each organisation, host, and kind of repository: the first digit is 0 if the service hosts it, and 8 if it is on another
    -- Git server. The next 15 are the same for all lines of an organisation.
    line uuid NOT NULL
);
CREATE INDEX turns_lines ON refsync.turns (line, seq) WHERE state IN (0, 2);
CREATE INDEX turns_waiting ON refsync.turns (run_after) WHERE state = 1;
CREATE INDEX turns_of_org ON refsync.turns (org_id) WHERE state >= 2;
-- In a random order.
CREATE INDEX turns_in_progress ON refsync.turns (right(sync_id, 9)) WHERE state = 3;

-- The queued runs of a repository. `upgrade.ts` builds this index beforehand if the table is large.
CREATE INDEX IF NOT EXISTS syncs_queued ON refsync.syncs (repo_id, seq) WHERE status = 'queued';

-- Sets the turn of a repository from its runs. The lock on the turn comes first: the reads after it see every run of a transaction
-- that held the lock before. It never reads a whole table, not even one that was small when the session made its plans.
CREATE FUNCTION refsync.set_turn(of_repo text) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $fn$
DECLARE
    next record;
BEGIN
    PERFORM FROM refsync.turns t WHERE t.repo_id = of_repo FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO refsync.turns AS t (repo_id, sync_id, seq, run_after, state, org_id, line)
        SELECT r.id, '', 0, now(), 3, '', gen_random_uuid()
        FROM refsync.repos r
        WHERE r.id = of_repo
        ON CONFLICT (repo_id) DO UPDATE SET sync_id = t.sync_id;
    END IF;
    SELECT s.* INTO next FROM (
        (SELECT s.id, s.seq, s.run_after, CASE WHEN s.lease_expires_at <= now() THEN 2 ELSE 3 END AS state
        FROM refsync.syncs s
        WHERE s.repo_id = of_repo AND s.status = 'in_progress')
        UNION ALL
        (SELECT s.id, s.seq, s.run_after, 0
        FROM refsync.syncs s
        WHERE s.repo_id = of_repo AND s.status = 'queued' AND s.run_after <= now()
        ORDER BY s.repo_id, s.seq
        LIMIT 1)) s
    ORDER BY s.state DESC
    LIMIT 1;
    IF NOT FOUND THEN
        SELECT s.id, s.seq, s.run_after, 1 AS state INTO next
        FROM refsync.syncs s
        WHERE s.repo_id = of_repo AND s.status = 'queued'
        -- Not the index of all queued runs by time.
        ORDER BY s.run_after + interval '0', s.seq
        LIMIT 1;
    END IF;
    IF NOT FOUND THEN
        DELETE FROM refsync.turns t WHERE t.repo_id = of_repo;
        RETURN;
    END IF;
    UPDATE refsync.turns t SET
        sync_id = next.id, seq = next.seq, run_after = next.run_after, state = next.state, org_id = r.org_id, host = remote.host,
        line = (CASE WHEN r.origin_url IS NULL THEN '0' ELSE '8' END
            || left(md5(r.org_id), 15) || left(md5(coalesce(remote.host, '')), 16))::uuid
    FROM refsync.repos r
    CROSS JOIN LATERAL (SELECT refsync.url_host(r.upstream_url) AS host) remote
    WHERE t.repo_id = of_repo AND r.id = of_repo;
END $fn$;

CREATE FUNCTION refsync.keep_turn() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $fn$
BEGIN
    -- A claim needs no look at other runs.
    IF NEW.status = 'in_progress' AND NEW.lease_expires_at > now() THEN
        UPDATE refsync.turns t SET sync_id = NEW.id, seq = NEW.seq, run_after = NEW.run_after, state = 3 WHERE t.repo_id = NEW.repo_id;
        IF FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    PERFORM refsync.set_turn(coalesce(NEW.repo_id, OLD.repo_id));
    RETURN NULL;
END $fn$;
CREATE FUNCTION refsync.move_turn() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    PERFORM refsync.set_turn(NEW.id);
    RETURN NULL;
END $fn$;

-- PostgreSQL checks the foreign keys of a row before these fire: its triggers sort before names in lower case.
CREATE TRIGGER turns_added AFTER INSERT ON refsync.syncs
    FOR EACH ROW WHEN (NEW.status IN ('queued', 'in_progress')) EXECUTE FUNCTION refsync.keep_turn();
CREATE TRIGGER turns_changed AFTER UPDATE OF status, run_after, lease, lease_expires_at ON refsync.syncs
    FOR EACH ROW WHEN (OLD.status <> NEW.status OR OLD.run_after <> NEW.run_after OR OLD.lease <> NEW.lease
        OR (OLD.lease_expires_at <= now()) <> (NEW.lease_expires_at <= now())) EXECUTE FUNCTION refsync.keep_turn();
CREATE TRIGGER turns_removed AFTER DELETE ON refsync.syncs
    FOR EACH ROW WHEN (OLD.status IN ('queued', 'in_progress')) EXECUTE FUNCTION refsync.keep_turn();
CREATE TRIGGER turns_moved AFTER UPDATE OF upstream_url, origin_url ON refsync.repos
    FOR EACH ROW WHEN (OLD.upstream_url IS DISTINCT FROM NEW.upstream_url
        OR (OLD.origin_url IS NULL) <> (NEW.origin_url IS NULL)) EXECUTE FUNCTION refsync.move_turn();

-- Whether a delivery is the first one of its target and subject: the others wait for it. So a claim need not look for earlier ones.
ALTER TABLE refsync.webhook_deliveries ADD COLUMN is_first boolean NOT NULL DEFAULT false;

-- The lock keeps the delivery before a new one until the new one can be seen: its removal then makes the new one the first.
CREATE FUNCTION refsync.delivery_added() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $fn$
BEGIN
    PERFORM FROM refsync.webhook_deliveries d
    WHERE d.target_id = NEW.target_id AND d.subject = NEW.subject AND d.seq < NEW.seq
    -- Names the index that has the rows in this order.
    ORDER BY d.target_id DESC, d.subject DESC, d.seq DESC
    LIMIT 1
    FOR KEY SHARE;
    NEW.is_first := NOT FOUND;
    RETURN NEW;
END $fn$;

CREATE FUNCTION refsync.delivery_removed() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $fn$
BEGIN
    UPDATE refsync.webhook_deliveries d SET is_first = true
    WHERE d.seq = (
        SELECT next.seq FROM refsync.webhook_deliveries next
        WHERE next.target_id = OLD.target_id AND next.subject = OLD.subject
        ORDER BY next.target_id, next.subject, next.seq
        LIMIT 1) AND NOT d.is_first;
    RETURN NULL;
END $fn$;

CREATE TRIGGER webhook_deliveries_first BEFORE INSERT ON refsync.webhook_deliveries
    FOR EACH ROW EXECUTE FUNCTION refsync.delivery_added();
CREATE TRIGGER webhook_deliveries_next AFTER DELETE ON refsync.webhook_deliveries
    FOR EACH ROW EXECUTE FUNCTION refsync.delivery_removed();

-- Sets some missing turns or, if there are none, marks the first deliveries of some subjects. It takes few at a time, because their rows
-- stay locked until the statement ends. Gives whether there were any.
CREATE FUNCTION refsync.fill_turns() RETURNS boolean LANGUAGE plpgsql AS $fn$
BEGIN
    PERFORM refsync.set_turn(s.repo_id) FROM (
        SELECT DISTINCT s.repo_id FROM refsync.syncs s
        WHERE s.status IN ('queued', 'in_progress') AND NOT EXISTS (SELECT FROM refsync.turns t WHERE t.repo_id = s.repo_id)
        LIMIT 200) s;
    IF FOUND THEN
        RETURN true;
    END IF;
    UPDATE refsync.webhook_deliveries d SET is_first = true
    FROM (
        SELECT f.seq FROM (
            SELECT DISTINCT ON (d.target_id, d.subject) d.seq, d.is_first FROM refsync.webhook_deliveries d
            ORDER BY d.target_id, d.subject, d.seq) f
        WHERE NOT f.is_first
        LIMIT 1000) f
    WHERE d.seq = f.seq AND NOT d.is_first;
    RETURN FOUND;
END $fn$;

-- Small shares of dead rows are cleaned up early, because claims read what is queued and in progress all the time.
ALTER TABLE refsync.syncs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE refsync.repos SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE refsync.turns SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE refsync.webhook_deliveries SET (autovacuum_vacuum_scale_factor = 0.02);
