//! Brings the database's schema up to date: first the migrations, then the views.
//!
//! A **migration** changes tables. It runs once, and never changes after its release. A **view** is a function that builds a
//! shape of the API, an event or a part of one. It has one file in `views/`, which changes in place. All views are replaced
//! together if the database has those of an older version.
//!
//! Any number of processes may migrate at the same time. Each migration is one `DO` statement, and so one transaction, in which
//! an advisory lock lets one process look and apply at a time. The views are one such statement.

use crate::service::store::{Database, Error, row};

/// Brings the schema up to date.
///
/// # Errors
///
/// If a migration fails, which leaves the schema as it was, or if the schema is of a newer version.
pub(crate) async fn migrate(database: &dyn Database) -> Result<(), Error> {
    migrate_to(database, NEWEST).await
}

/// As [`migrate`], but no further than to this version: a backup of it can then be restored.
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

/// Whether the table is there is asked of `pg_tables`. `to_regclass` would answer from what this session has looked up before, and
/// PostgreSQL does not refresh that while it waits for an advisory lock.
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
                {migration}
                INSERT INTO refsync.schema_migrations (version) VALUES ({version});
            END IF;
        END $refsync$"
    )
}

/// Replaces the views, unless the database has these ones, or those of a newer version: a process of that version may be using
/// them. While versions are developed, different views may have the same version; then the last process that starts wins.
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

/// A number for the text of all views, in hex.
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
];

/// The version of the last migration.
const NEWEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// The views. Each comes after those that it calls.
const VIEWS: &[&str] = &[
    sql!("views/keys.sql"),
    sql!("views/api_key.sql"),
    sql!("views/public_key.sql"),
    sql!("views/organization.sql"),
    sql!("views/webhook_target.sql"),
    sql!("views/sync_run.sql"),
    sql!("views/repo.sql"),
    sql!("views/announce.sql"),
];

/// The version of the views: add one with each release that changes a view. If processes of the release before cannot use the
/// changed view, add a migration too; those processes then refuse to start.
pub const VIEWS_VERSION: u32 = 1;

/// The number of the advisory lock. No other user of the database should use it. It spells "refsync" on the keys of a telephone.
const ADVISORY_LOCK: u32 = 7_337_962;
