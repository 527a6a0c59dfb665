//! The only access to the database.
//!
//! Each row of a statement has one column: the row as JSON text, in the form of the Rust type that decodes it.
//!
//! A statement has one parameter: `$1`, a JSON object of named keys, such as `{"repo_id": "repo_1", "limit": 50}`. The
//! comment at the top of its file names them. If a key is absent, the stored value stays; null removes it. A statement that
//! needs no keys has no parameter. There is one exception: the stats of a run, and its progress. They exist as JSON text
//! already, and may have many megabytes. They are `$2`, so that they are not parsed or copied into the object.

#[macro_use]
pub mod sql;

pub mod migrate;
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
    /// PostgreSQL's message.
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

/// Returns a statement's rows. `params` is its object of named keys, or `()` if it has no parameter.
pub(crate) async fn rows<T: DeserializeOwned>(
    database: &dyn Database,
    sql: &str,
    params: impl Serialize,
) -> Result<Vec<T>, Error> {
    let rows = database.query(sql, named(&params)).await?;
    rows.iter().map(|row| parsed(row)).collect()
}

/// Returns a statement's row, if there is one.
pub(crate) async fn row<T: DeserializeOwned>(
    database: &dyn Database,
    sql: &str,
    params: impl Serialize,
) -> Result<Option<T>, Error> {
    first(database, sql, named(&params)).await?.map(|row| parsed(&row)).transpose()
}

/// Returns a statement's row, if there is one. `json` is its `$2`.
pub(crate) async fn row_with_json<T: DeserializeOwned>(
    database: &dyn Database,
    sql: &str,
    params: impl Serialize,
    json: String,
) -> Result<Option<T>, Error> {
    text_with_json(database, sql, params, json).await?.map(|row| parsed(&row)).transpose()
}

/// Returns a statement's row as JSON text, if there is one.
pub(crate) async fn text(database: &dyn Database, sql: &str, params: impl Serialize) -> Result<Option<String>, Error> {
    first(database, sql, named(&params)).await
}

/// Returns a statement's row as JSON text, if there is one. `json` is its `$2`.
pub(crate) async fn text_with_json(
    database: &dyn Database,
    sql: &str,
    params: impl Serialize,
    json: String,
) -> Result<Option<String>, Error> {
    let params = named(&params).into_iter().chain([json]).collect();
    first(database, sql, params).await
}

async fn first(database: &dyn Database, sql: &str, params: Vec<String>) -> Result<Option<String>, Error> {
    Ok(database.query(sql, params).await?.into_iter().next())
}

fn parsed<T: DeserializeOwned>(row: &str) -> Result<T, Error> {
    serde_json::from_slice(row.as_bytes()).map_err(bad_row)
}

fn bad_row(error: serde_json::Error) -> Error {
    Error { code: None, message: format!("a row does not have the expected shape: {error}") }
}

fn named(params: &impl Serialize) -> Vec<String> {
    let text = serde_json::to_string(params).expect("parameters have string keys");
    // `()` serialises as null.
    if text == "null" { Vec::new() } else { vec![text] }
}
