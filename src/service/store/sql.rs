//! SQL statements are files: `sql!("sql/now.sql")` is the text of `store/sql/now.sql`, without its comments.

/// The text of a file under `store/`.
macro_rules! sql {
    ($path:literal) => {
        refsync_derive::sql_text!($path)
    };
}
