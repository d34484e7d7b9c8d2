//! The two databases behind one type. It stands alone because the derive's imports clash with others.

/// A connection to whichever database the URL names.
#[derive(diesel::MultiConnection)]
pub enum Db {
    Postgres(diesel::PgConnection),
    Sqlite(diesel::SqliteConnection),
}

/// Runs one query on the connection of either database, for queries that [`Db`] itself cannot carry.
macro_rules! on_either {
    ($db:expr, $connection:ident => $query:expr) => {
        match $db {
            $crate::db::Db::Postgres($connection) => $query,
            $crate::db::Db::Sqlite($connection) => $query,
        }
    };
}
pub(crate) use on_either;
