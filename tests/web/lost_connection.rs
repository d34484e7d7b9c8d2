//! A connection to PostgreSQL that is lost in the middle of a write.

use diesel::connection::SimpleConnection as _;
use techkraft::db::{Database, DatabaseUrl};
use techkraft::error::Error;
use testkit::database::TestDatabase;

/// Ends its own connection when the transaction commits.
const HANG_UP_AT_COMMIT: &str = "
    CREATE TABLE last_words (word TEXT);
    CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_terminate_backend(pg_backend_pid());
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER hang_up_at_commit AFTER INSERT ON last_words
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hang_up()";

/// Lost before the commit, nothing was written. Lost during it, nobody knows, so nobody may be told that it was not.
#[test]
fn only_a_commit_leaves_the_outcome_unknown() {
    let database = TestDatabase::create();
    if !database.is_postgres() {
        return;
    }
    // The servers' role may not create a table.
    let url = DatabaseUrl::parse(database.owner_url()).expect("a URL");
    let database = Database::open(&url, 1).expect("the database");
    let write = |sql: &str| database.write_blocking(|db| db.batch_execute(sql));
    write(HANG_UP_AT_COMMIT).expect("created");

    let early = write("SELECT pg_terminate_backend(pg_backend_pid())");
    assert!(matches!(early, Err(Error::Busy)), "{early:?}");
    let late = write("INSERT INTO last_words VALUES ('yes')");
    assert!(matches!(late, Err(Error::OutcomeUnknown)), "{late:?}");
    write("DELETE FROM last_words").expect("a new connection");
}
