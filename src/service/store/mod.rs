//! The only access to the database, and the migrations.
//!
//! Each row of a statement has one column: the row as JSON text, in the form of the Rust type that decodes it.
//!
//! A statement has one parameter: `$1`, a JSON object of named keys, such as `{"repo_id": "repo_1", "limit": 50}`. The comment at
//! the top of its file names them. If a key is absent, the stored value stays; null removes it. A statement that needs none has
//! no parameter. The exception is JSON that exists as text already and may have many megabytes: the stats of a run, and its
//! progress. It is `$2`, so that it is not parsed or copied for the object.

#[macro_use]
pub mod sql;

pub mod storable;

use futures_util::future::LocalBoxFuture;
use serde::{Serialize, de::DeserializeOwned};

/// PostgreSQL, wherever it runs.
pub trait Database {
    /// Runs one statement, and returns each row's only column, which is JSON. Each parameter is JSON too; there are two at most.
    ///
    /// # Errors
    ///
    /// If the database refuses the statement or cannot be reached.
    fn query<'a>(&'a self, sql: &'a str, params: Vec<String>) -> LocalBoxFuture<'a, Result<Vec<String>, Error>>;
}

/// Why a statement was not run.
#[derive(Clone, Debug, thiserror::Error)]
#[error("database: {message}{}", .code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default())]
pub struct Error {
    /// PostgreSQL's `SQLSTATE`, if PostgreSQL refused the statement.
    pub code: Option<String>,
    /// What it said.
    pub message: String,
}

impl Error {
    /// Whether the database can never store this value: a text that it cannot represent, or a value that is too large.
    pub fn is_unstorable(&self) -> bool {
        match self.code.as_deref() {
            // Data exception, program limit exceeded, out of memory.
            Some(code) if code.starts_with("22") || code.starts_with("54") || code == "53200" => true,
            // An internal error, with any cause.
            Some("XX000") => self.message.contains("invalid memory alloc request size"),
            _ => false,
        }
    }

    /// Whether a unique index refused a row.
    pub fn is_unique_violation(&self) -> bool {
        self.code.as_deref() == Some("23505")
    }
}

/// The rows that a statement gives. `params` is its object of named keys, or `()` if it has no parameter.
pub(crate) async fn rows<T: DeserializeOwned>(
    database: &dyn Database,
    sql: &str,
    params: impl Serialize,
) -> Result<Vec<T>, Error> {
    parsed_rows(database, sql, named(&params)).await
}

async fn parsed_rows<T: DeserializeOwned>(
    database: &dyn Database,
    sql: &str,
    params: Vec<String>,
) -> Result<Vec<T>, Error> {
    let rows = database.query(sql, params).await?;
    let parsed = rows.iter().map(|row| serde_json::from_slice(row.as_bytes())).collect::<Result<_, _>>();
    parsed.map_err(|error| Error { code: None, message: format!("a row does not have the expected shape: {error}") })
}

/// The row that a statement gives, if any.
pub(crate) async fn row<T: DeserializeOwned>(
    database: &dyn Database,
    sql: &str,
    params: impl Serialize,
) -> Result<Option<T>, Error> {
    Ok(rows(database, sql, params).await?.into_iter().next())
}

/// The row that a statement gives, if any. `json` is its `$2`.
pub(crate) async fn row_with_json<T: DeserializeOwned>(
    database: &dyn Database,
    sql: &str,
    params: impl Serialize,
    json: String,
) -> Result<Option<T>, Error> {
    let params = named(&params).into_iter().chain([json]).collect();
    Ok(parsed_rows(database, sql, params).await?.into_iter().next())
}

/// The row that a statement gives, if any, as its JSON text.
pub(crate) async fn text(database: &dyn Database, sql: &str, params: impl Serialize) -> Result<Option<String>, Error> {
    Ok(database.query(sql, named(&params)).await?.into_iter().next())
}

fn named(params: &impl Serialize) -> Vec<String> {
    let text = serde_json::to_string(params).expect("parameters have string keys");
    // `()` is written as null.
    if text == "null" { Vec::new() } else { vec![text] }
}

/// Brings the schema up to date. Any number of processes may do so at once: each migration is one `DO` statement and one
/// transaction, with an advisory lock, so only one process at a time checks and applies it.
///
/// Whether the table is there is asked of `pg_tables`. `to_regclass` would answer from what this session has looked up
/// before, and PostgreSQL does not refresh that while it waits for an advisory lock.
///
/// # Errors
///
/// If a migration fails (then the schema does not change), or if the schema is of a newer version.
pub(crate) async fn migrate(database: &dyn Database) -> Result<(), Error> {
    migrate_to(database, NEWEST).await
}

/// As [`migrate`], but only up to this version, so that a backup of it can be restored.
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
        _ => Ok(()),
    }
}

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

/// The migrations with their versions, in order. Never change a released one: add a new one.
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
];

/// The version of the last one.
const NEWEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// Any number that no other program in this database uses: "refsync" on a telephone's keys.
const ADVISORY_LOCK: u32 = 7_337_962;
