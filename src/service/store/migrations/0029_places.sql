-- Only runs that take a place are compared. Before this, `upgrade.ts` builds the indexes if the table is large.
CREATE UNIQUE INDEX IF NOT EXISTS syncs_places ON refsync.syncs (slot) WHERE status = 'in_progress' AND slot IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS syncs_org_places ON refsync.syncs (org_slot) WHERE status = 'in_progress' AND org_slot IS NOT NULL;
DROP INDEX refsync.syncs_slot;
DROP INDEX refsync.syncs_org_slot;
