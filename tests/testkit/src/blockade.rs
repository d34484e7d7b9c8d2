//! Somebody else holds the lock that a booking needs.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};

use crate::database::TestDatabase;

/// A transaction of our own beside the servers. Ends with [`Transaction::end`], or is rolled back.
pub enum Transaction {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Transaction {
    /// Takes what every booking needs: reads go on, writes wait.
    pub fn blocking_writes(database: &TestDatabase) -> Self {
        if database.is_postgres() {
            Self::begin(database, "BEGIN; LOCK TABLE ticket_types IN EXCLUSIVE MODE")
        } else {
            Self::begin(database, "BEGIN IMMEDIATE")
        }
    }

    pub fn begin(database: &TestDatabase, sql: &str) -> Self {
        let mut transaction = match database.url.strip_prefix("sqlite:") {
            Some(path) => Self::Sqlite(SqliteConnection::establish(path).expect("a connection")),
            None => Self::Postgres(PgConnection::establish(&database.url).expect("a connection")),
        };
        if let Self::Sqlite(sqlite) = &mut transaction {
            sqlite.batch_execute("PRAGMA busy_timeout = 5000").expect("a pragma");
        }
        transaction.execute(sql);
        transaction
    }

    pub fn execute(&mut self, sql: &str) {
        match self {
            Self::Postgres(connection) => connection.batch_execute(sql).expect(sql),
            Self::Sqlite(connection) => connection.batch_execute(sql).expect(sql),
        }
    }

    pub fn end(mut self, how: &str) {
        self.execute(how);
    }
}
