//! The desk: the one place where tickets are claimed. Pages hand an order in and get its outcome back;
//! what stands behind the desk is nobody else's business.

use super::{Order, Outcome, store};
use crate::db::Database;
use crate::error::Error;

/// The one door to a booking.
pub struct Desk {
    db: Database,
}

impl Desk {
    #[must_use]
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    /// Books the order, and answers once that is committed.
    ///
    /// # Errors
    /// [`Error::Busy`] and database errors. Sending the same order again, with its key, is then safe.
    pub async fn book(&self, order: Order) -> Result<Outcome, Error> {
        self.db.write_untransacted(move |db| store::book(db, &order)).await
    }
}
