//! Another connection holds a lock that bookings need.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};

use crate::database::TestDatabase;

/// A transaction of the test, on a connection of its own. It ends with [`Transaction::end`], or is rolled back when
/// dropped.
pub enum Transaction {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Transaction {
    /// Takes a lock that every booking needs: reads continue, writes wait.
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

/// While this exists, a batch of bookings that has begun does not end. On PostgreSQL this is not a lock, because the
/// desk waits only one second for locks. It ends with [`SlowDisk::end`].
pub enum SlowDisk<'a> {
    Postgres(&'a TestDatabase),
    Sqlite(Transaction),
}

impl<'a> SlowDisk<'a> {
    pub fn of(database: &'a TestDatabase) -> Self {
        if !database.is_postgres() {
            return Self::Sqlite(Transaction::blocking_writes(database));
        }
        database.execute(
            "CREATE TABLE IF NOT EXISTS slow_disk (id INTEGER);
             INSERT INTO slow_disk VALUES (1);
             CREATE OR REPLACE FUNCTION wait_for_the_disk() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
                 WHILE EXISTS (SELECT FROM slow_disk) LOOP PERFORM pg_sleep(0.02); END LOOP; RETURN NULL;
             END';
             CREATE OR REPLACE TRIGGER slow_disk BEFORE INSERT ON bookings
                 FOR EACH STATEMENT EXECUTE FUNCTION wait_for_the_disk()",
        );
        Self::Postgres(database)
    }

    pub fn end(self) {
        match self {
            Self::Postgres(database) => database.execute("DELETE FROM slow_disk"),
            Self::Sqlite(transaction) => transaction.end("ROLLBACK"),
        }
    }
}
