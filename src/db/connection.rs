//! The two databases behind one type. It stands alone because the derive's imports clash with others.

/// A connection to whichever database the URL names.
#[derive(diesel::MultiConnection)]
pub enum Db {
    Postgres(diesel::PgConnection),
    Sqlite(diesel::SqliteConnection),
}
