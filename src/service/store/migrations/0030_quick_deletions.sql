-- If a target is deleted, all its deliveries go, and none of them becomes the first. If a repository is deleted, all its runs go, and none
-- of them gets the turn. To choose the next one each time would take a time that grows with the square of their number.
CREATE OR REPLACE FUNCTION refsync.delivery_removed() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $fn$
BEGIN
    IF NOT EXISTS (SELECT FROM refsync.webhook_targets t WHERE t.id = OLD.target_id) THEN
        RETURN NULL;
    END IF;
    UPDATE refsync.webhook_deliveries d SET is_first = true
    WHERE d.seq = (
        SELECT next.seq FROM refsync.webhook_deliveries next
        WHERE next.target_id = OLD.target_id AND next.subject = OLD.subject
        ORDER BY next.target_id, next.subject, next.seq
        LIMIT 1) AND NOT d.is_first;
    RETURN NULL;
END $fn$;

CREATE OR REPLACE FUNCTION refsync.set_turn(of_repo text) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $fn$
DECLARE
    next record;
BEGIN
    IF NOT EXISTS (SELECT FROM refsync.repos r WHERE r.id = of_repo) THEN
        RETURN;
    END IF;
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
