-- Ends all leases, so that workers take over everything that is in progress.
WITH runs AS (
    UPDATE refsync.syncs SET lease_expires_at = now() WHERE status = 'in_progress'
), deliveries AS (
    UPDATE refsync.webhook_deliveries SET lease_expires_at = now() WHERE lease IS NOT NULL
)
SELECT 'null' AS row
