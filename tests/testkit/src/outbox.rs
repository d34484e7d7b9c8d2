//! The outbox of mails in a test's database.

use std::thread;
use std::time::{Duration, Instant};

use crate::database::TestDatabase;

/// Every mail of the outbox, including confirmations that the sender has not yet turned into mails.
pub const OUTBOX: &str = "
    (SELECT booking_id, kind, state, attempts, last_error, queued_at, due_at FROM mails UNION ALL
     SELECT booking_id, 'confirmation', 'queued', 0, NULL, queued_at, queued_at FROM batched_confirmations) AS outbox";

impl TestDatabase {
    /// Runs `act` while the outbox takes no confirmations.
    pub fn without_confirmations<T>(&self, act: impl FnOnce() -> T) -> T {
        self.execute(drop_confirmations(self.is_postgres()));
        let done = act();
        let table = if self.is_postgres() { " ON confirmation_batches" } else { "" };
        self.execute(&format!("DROP TRIGGER drop_confirmations{table}"));
        done
    }

    /// Waits until the sender has turned all confirmations into mails.
    pub fn wait_until_mails_are_written(&self) {
        let begun = Instant::now();
        while self.count("confirmation_batches") > 0 {
            assert!(begun.elapsed() < Duration::from_secs(30), "the sender does not work");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Makes the database drop the confirmations that bookings put into the outbox.
#[must_use]
pub fn drop_confirmations(is_postgres: bool) -> &'static str {
    if is_postgres {
        "CREATE OR REPLACE FUNCTION drop_confirmations() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER drop_confirmations BEFORE INSERT ON confirmation_batches
         FOR EACH ROW EXECUTE FUNCTION drop_confirmations()"
    } else {
        "CREATE TRIGGER drop_confirmations BEFORE INSERT ON confirmation_batches
         BEGIN SELECT RAISE(IGNORE); END"
    }
}
