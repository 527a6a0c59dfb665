//! Brings the database's schema up to date: first the migrations, then the views.
//!
//! A **migration** changes tables. It runs once, and never changes after its release. A **view** is a function that builds
//! a shape of the API, an event, or a part of these. It has one file in `views/`, which changes in place. If the database
//! has the views of an older version, all of them are replaced together.
//!
//! Any number of processes may migrate at the same time. Each migration is one `DO` statement, so it is one transaction. An
//! advisory lock lets only one process at a time look and apply. All views together are one such statement.
//!
//! A database is migrated while processes of the older version use it. So a migration never waits long for a lock, because
//! writers would wait behind it. `pkg/src/service/upgrade.ts` builds indexes of large tables beforehand, brings rows up to date
//! in small steps, and tries again if a lock was not free.

use crate::service::store::{Database, Error, row};

/// Brings the schema up to date.
///
/// # Errors
///
/// If a migration fails, or if the schema is of a newer version. A failed migration leaves the schema unchanged.
pub(crate) async fn migrate(database: &dyn Database) -> Result<(), Error> {
    migrate_to(database, NEWEST).await
}

/// Like [`migrate`], but only up to this version. A backup of that version can then be restored.
pub(crate) async fn migrate_to(database: &dyn Database, newest: u32) -> Result<(), Error> {
    for (version, migration) in MIGRATIONS.iter().filter(|(version, _)| *version <= newest) {
        database.query(&migration_statement(*version, migration), Vec::new()).await?;
    }
    let version: Option<u32> = row(database, sql!("sql/schema_version.sql"), ()).await?;
    match version {
        Some(newer) if newer > NEWEST => Err(Error {
            code: None,
            message: format!("the database has schema {newer}: it was used with a newer refsync; use that one"),
        }),
        // The views need the newest tables.
        Some(NEWEST) => database.query(&views_statement(), Vec::new()).await.map(drop),
        _ => Ok(()),
    }
}

/// Asks `pg_tables` whether the table exists. `to_regclass` would use this session's cache, and PostgreSQL does not refresh
/// the cache while it waits for an advisory lock.
fn migration_statement(version: u32, migration: &str) -> String {
    format!(
        "DO $refsync$ BEGIN
            PERFORM pg_advisory_xact_lock({ADVISORY_LOCK});
            IF NOT EXISTS (SELECT FROM pg_catalog.pg_tables t
                    WHERE t.schemaname = 'refsync' AND t.tablename = 'schema_migrations') THEN
                CREATE SCHEMA IF NOT EXISTS refsync;
                CREATE TABLE refsync.schema_migrations (
                    version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
            END IF;
            IF NOT EXISTS (SELECT FROM refsync.schema_migrations m WHERE m.version = {version}) THEN
                PERFORM set_config('lock_timeout', '400ms', true);
                {migration}
                INSERT INTO refsync.schema_migrations (version) VALUES ({version});
            END IF;
        END $refsync$"
    )
}

/// Replaces the views, unless the database has the same views or those of a newer version. A process of the newer version
/// may be using them. During development, different views may have the same version; then the last process that starts
/// wins.
fn views_statement() -> String {
    let (views, fingerprint) = (VIEWS.join("\n"), fingerprint());
    format!(
        "DO $refsync$ BEGIN
            PERFORM pg_advisory_xact_lock({ADVISORY_LOCK});
            IF EXISTS (SELECT FROM refsync.service s WHERE s.views_version < {VIEWS_VERSION}
                    OR s.views_version = {VIEWS_VERSION} AND s.views_fingerprint <> '{fingerprint}') THEN
                {views}
                UPDATE refsync.service SET views_version = {VIEWS_VERSION}, views_fingerprint = '{fingerprint}';
            END IF;
        END $refsync$"
    )
}

/// A hash of the text of all views, in hex.
pub fn fingerprint() -> String {
    // FNV-1a with 64 bits.
    let bytes = VIEWS.iter().flat_map(|view| view.bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// The migrations with their versions, in order. A released one never changes.
const MIGRATIONS: &[(u32, &str)] = &[
    (1, sql!("migrations/0001_repositories_and_syncs.sql")),
    (2, sql!("migrations/0002_cancel_and_progress.sql")),
    (3, sql!("migrations/0003_webhooks_and_sync_events.sql")),
    (4, sql!("migrations/0004_public_keys.sql")),
    (5, sql!("migrations/0005_freshness.sql")),
    (6, sql!("migrations/0006_wake_and_limits.sql")),
    (8, sql!("migrations/0008_schedules.sql")),
    (9, sql!("migrations/0009_secret_key_check.sql")),
    (10, sql!("migrations/0010_origin.sql")),
    (11, sql!("migrations/0011_upstream_hosts.sql")),
    (12, sql!("migrations/0012_default_branch_asked_for.sql")),
    (13, sql!("migrations/0013_service_id_and_damage.sql")),
    (14, sql!("migrations/0014_webhook_lanes.sql")),
    (15, sql!("migrations/0015_results.sql")),
    (16, sql!("migrations/0016_lists.sql")),
    (17, sql!("migrations/0017_keys.sql")),
    (18, sql!("migrations/0018_views.sql")),
    (21, sql!("migrations/0021_policy.sql")),
    (22, sql!("migrations/0022_triggers.sql")),
    (23, sql!("migrations/0023_freshness_watch.sql")),
    (24, sql!("migrations/0024_turns.sql")),
    (25, sql!("migrations/0025_turns_are_set.sql")),
    (26, sql!("migrations/0026_counts_and_push_backups.sql")),
    (27, sql!("migrations/0027_runs_tell_their_events.sql")),
    (28, sql!("migrations/0028_stats_of_runs.sql")),
    (29, sql!("migrations/0029_places.sql")),
    (30, sql!("migrations/0030_quick_deletions.sql")),
];

/// The version of the last migration.
const NEWEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// The views. Each comes after the views that it calls.
const VIEWS: &[&str] = &[
    sql!("views/keys.sql"),
    sql!("views/api_key.sql"),
    sql!("views/public_key.sql"),
    sql!("views/organization.sql"),
    sql!("views/webhook_target.sql"),
    sql!("views/policy.sql"),
    sql!("views/sync_run.sql"),
    sql!("views/repo.sql"),
    sql!("views/announce.sql"),
    sql!("views/held.sql"),
    sql!("views/trigger.sql"),
    sql!("views/freshness.sql"),
    sql!("views/claim.sql"),
];

/// The version of the views. Add one with each release that changes a view. If processes of the previous release cannot use
/// the changed view, add a migration too: those processes then refuse to start.
pub const VIEWS_VERSION: u32 = 3;

/// The number of the advisory lock. No other user of the database should use it. It spells "refsync" on a telephone's keys.
const ADVISORY_LOCK: u32 = 7_337_962;
