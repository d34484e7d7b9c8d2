//! The real desk on a database of its own.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use techkraft::booking::buyer::Buyer;
use techkraft::booking::desk::Desk;
use techkraft::booking::release::{ReleaseOutcome, store};
use techkraft::booking::store::find_by_token;
use techkraft::booking::{BookingOutcome, Order, OrderLine, PlacedBooking};
use techkraft::db::Database;
use techkraft::reconciliation::reconcile;
use testkit::database::TestDatabase;
use testkit::wait::eventually;
use tokio::runtime::{Builder, Runtime};

use crate::basket_model::Basket;
use crate::desk_model::shop::{key, open_desk, read_tiers};

pub struct Shop {
    desk: Desk,
    db: Database,
    type_ids: Vec<i64>,
    runtime: Runtime,
    database: TestDatabase,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    request_key: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    returned: i64,
}

impl Shop {
    pub fn open() -> Self {
        let (database, db, desk) = open_desk(10);
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let type_ids = read_tiers(&db).iter().map(|tier| tier.id).collect();
        Self { desk, db, type_ids, runtime, database }
    }

    pub fn order(&self, basket: &Basket) -> BookingOutcome {
        let line = |(&ticket_type_id, quantity)| OrderLine { ticket_type_id, quantity };
        let lines = self.type_ids.iter().zip(basket.quantities).map(line);
        let buyer = Buyer::with_email(basket.buyer(), &format!("{}@example.org", basket.buyer()));
        let order = Order::new(lines, buyer, key(basket.key));
        let order = if basket.is_held { order.held_for(3600) } else { order };
        self.runtime.block_on(self.desk.book(order)).expect("an outcome")
    }

    /// Returns whether the booking was confirmed.
    pub fn confirm(&self, number: u8) -> bool {
        let Some(placed) = self.find(number) else { return false };
        self.db.write_blocking(|db| store::confirm_hold(db, placed.booking.id)).expect("it is asked")
    }

    /// Ends the time of a hold.
    pub fn expire(&self, number: u8) {
        let Some(placed) = self.find(number) else { return };
        let id = placed.booking.id;
        self.database
            .execute(&format!("UPDATE holds SET held_until = '2020-01-01 00:00:00' WHERE booking_id = {id}"));
        // Another test on this database server may be ending holds at the moment; then this call does nothing.
        eventually("the hold has ended", || {
            self.db.write_blocking(|db| store::expire(db, 10)).expect("it is asked");
            self.database.count(&format!("holds WHERE booking_id = {id} AND held_until < '2021-01-01'")) == 0
        });
        self.desk.restocked();
    }

    /// Gives one ticket back, or all of them. Returns whether any was given back.
    pub fn give_back(&self, number: u8, seat: Option<i32>) -> bool {
        let Some(placed) = self.find(number) else { return false };
        let seats = seat.map(|seat| [seat]);
        let seats = seats.as_ref().map(|seats| &seats[..]);
        let released = self.db.write_blocking(|db| store::release(db, &placed.booking, seats, None));
        self.desk.restocked();
        matches!(released.expect("it is asked"), ReleaseOutcome::Released { .. })
    }

    pub fn pause_event(&self, is_paused: bool) {
        self.database.execute(&format!("UPDATE events SET paused = {is_paused}"));
    }

    pub fn pause_type(&self, index: usize, is_paused: bool) {
        let state = if is_paused { "paused" } else { "on_sale" };
        let id = self.type_ids[index];
        self.database.execute(&format!("UPDATE ticket_types SET state = '{state}' WHERE id = {id}"));
    }

    /// What is left of each ticket type.
    pub fn left(&self) -> Vec<i32> {
        read_tiers(&self.db).iter().map(|tier| tier.available).collect()
    }

    /// Key, status and number of returned tickets of every booking, sorted by key.
    pub fn bookings(&self) -> Vec<(String, String, i64)> {
        let rows: Vec<Row> = self.database.rows(
            "SELECT b.request_key, b.status, (SELECT COUNT(*) FROM used_tickets u
             WHERE u.booking_id = b.id AND u.state = 'returned') AS returned FROM bookings b ORDER BY b.request_key",
        );
        rows.into_iter().map(|row| (row.request_key, row.status, row.returned)).collect()
    }

    pub fn assert_reconciled(&self) {
        let reconciliation = self.db.read_primary_blocking(reconcile).expect("it is read");
        assert!(reconciliation.holds(), "{reconciliation}");
    }

    fn find(&self, number: u8) -> Option<PlacedBooking> {
        #[derive(QueryableByName)]
        struct Token {
            #[diesel(sql_type = Text)]
            token: String,
        }
        let query = format!("SELECT token FROM bookings WHERE request_key = '{}'", key(number));
        let Token { token } = self.database.rows::<Token>(&query).pop()?;
        Some(self.db.read_primary_blocking(|db| find_by_token(db, &token)).expect("it is read"))
    }
}
