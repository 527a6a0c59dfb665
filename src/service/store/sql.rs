//! SQL statements are files: `sql!("sql/now.sql")` is the text of `store/sql/now.sql`.

/// The text of a file under `store/`.
macro_rules! sql {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/service/store/", $path))
    };
}
