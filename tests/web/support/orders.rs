//! Orders of several ticket types, and a desk that is separate from the app.

use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use futures_util::future::join_all;
use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use techkraft::booking::buyer::Buyer;
use techkraft::booking::desk::{Desk, DeskLimits};
use techkraft::booking::release::ReleaseOutcome;
use techkraft::booking::release::store::{confirm_hold, expire, release};
use techkraft::booking::{Booking, BookingOutcome, Order, OrderLine};
use techkraft::db::{Database, DatabaseUrl, clock};
use techkraft::error::Error;
use techkraft::events::board::Board;
use techkraft::schema::holds;
use tokio::runtime::{Builder, Runtime};

use super::acts::Checkout;
use super::{TestApp, browser};
use testkit::database::TestDatabase;

/// How many of which ticket type.
pub type Wish<'a> = (&'a str, u32);

impl TestApp {
    /// Opens the checkout of the first ticket type, and orders the others with it.
    pub fn open_order(&self, wishes: &[Wish]) -> Checkout {
        self.open_checkout(wishes[0].0, wishes[0].1)
    }

    /// Sends the form: the ticket type that was chosen first, and the others beside it.
    pub fn send_order(&self, client: &Client, email: &str, checkout: &Checkout, wishes: &[Wish]) -> Response {
        client
            .post(self.url("/bookings"))
            .form(&self.order_form(email, checkout, wishes))
            .send()
            .expect("an answer")
    }

    /// The form as a browser sends it.
    pub fn order_form(&self, email: &str, checkout: &Checkout, wishes: &[Wish]) -> Vec<(String, String)> {
        let mut form: Vec<(String, String)> = [
            ("ticket_type", checkout.ticket_type.as_str()),
            ("name", "Ada Lovelace"),
            ("email", email),
            ("request_key", &checkout.request_key),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for (name, quantity) in wishes {
            let id = self.id_of(name);
            let field =
                if id == checkout.ticket_type { "quantity".to_owned() } else { format!("quantity_{id}") };
            form.push((field, quantity.to_string()));
        }
        form
    }

    /// Books ticket types together, and returns the path of the confirmation.
    pub fn book_order(&self, wishes: &[Wish]) -> String {
        let response = self.send_order(&self.client, "ada@example.org", &self.open_order(wishes), wishes);
        assert_eq!(response.status(), 303, "{}", response.text().unwrap_or_default());
        // The location of a booking that is paid for online is the payment page.
        super::header(&response, "location").trim_end_matches("/payment").to_owned()
    }

    /// The body of the API's request that orders these.
    pub fn order_json(&self, wishes: &[Wish]) -> Value {
        let line =
            |(name, quantity): &Wish| json!({ "ticketTypeId": self.id_of(name), "quantity": quantity });
        let lines: Vec<Value> = wishes.iter().map(line).collect();
        json!({ "lines": lines, "name": "Ada Lovelace", "email": "ada@example.org" })
    }

    pub fn post_json(&self, key: &str, body: &Value) -> (u16, Value) {
        let post = browser().post(self.url("/api/v1/bookings")).header("idempotency-key", key);
        let response = post.json(body).send().expect("an answer");
        (response.status().as_u16(), response.json().expect("JSON"))
    }

    /// The id of a ticket type, also of one that is not shown.
    pub fn id_of(&self, name: &str) -> String {
        self.database.ticket_type_id(name).to_string()
    }
}

/// A separate desk on a database, like that of a program that holds tickets.
pub struct BoxOffice {
    pub db: Database,
    desk: Desk,
    runtime: Runtime,
}

impl BoxOffice {
    pub fn open(database: &TestDatabase) -> Self {
        let db = Database::open(&url(database), 3).expect("it opens");
        let limits = DeskLimits { queue_length: 100, batch_size: 10, deadline: Duration::from_secs(5) };
        let desk = Desk::open(&db, Arc::<Board>::default(), Arc::default(), limits).expect("it opens");
        Self { db, desk, runtime: Builder::new_current_thread().enable_time().build().expect("a runtime") }
    }

    /// The same on a new database, where no server runs: nobody else ends a hold.
    pub fn alone() -> (TestDatabase, Self) {
        let database = TestDatabase::seeded();
        let office = Self::open(&database);
        (database, office)
    }

    pub fn order(&self, order: Order) -> BookingOutcome {
        self.runtime.block_on(self.desk.book(order)).expect("an outcome")
    }

    /// Holds tickets for an hour.
    pub fn hold(&self, key: &str, lines: &[(i64, i32)]) -> Booking {
        match self.order(held(key, lines)) {
            BookingOutcome::Booked(booking) => booking,
            other => panic!("{other:?}"),
        }
    }

    /// Places these orders for holds together.
    pub fn hold_all(&self, orders: impl IntoIterator<Item = Order>) -> Vec<Booking> {
        let outcomes = join_all(orders.into_iter().map(|order| self.desk.book(order)));
        let booking = |outcome| match outcome {
            Ok(BookingOutcome::Booked(booking)) => booking,
            other => panic!("{other:?}"),
        };
        self.runtime.block_on(outcomes).into_iter().map(booking).collect()
    }

    /// Lets holds end one after the other, and returns when each does.
    pub fn end_one_by_one(&self, bookings: &[Booking], pace: Duration) -> Vec<NaiveDateTime> {
        let pace = TimeDelta::from_std(pace).expect("a short time");
        retry_while_busy(|| {
            self.db.write_blocking(|db| {
                let mut until = clock(db)? + TimeDelta::milliseconds(20);
                let end = |booking: &Booking| {
                    until += pace;
                    let hold = holds::table.find(booking.id);
                    diesel::update(hold).set(holds::held_until.eq(until)).execute(db)?;
                    Ok(until)
                };
                bookings.iter().map(end).collect()
            })
        })
    }

    /// Whether the hold was confirmed now.
    pub fn confirm(&self, booking: &Booking) -> bool {
        retry_while_busy(|| self.db.write_blocking(|db| confirm_hold(db, booking.id)))
    }

    /// Ends the holds whose time is over. Returns how many ticket types have more tickets now.
    pub fn expire(&self) -> usize {
        retry_while_busy(|| self.db.write_blocking(|db| expire(db, 100))).len()
    }

    pub fn release(&self, booking: &Booking) -> ReleaseOutcome {
        retry_while_busy(|| self.db.write_blocking(|db| release(db, booking, None, None)))
    }

    /// Lets a hold end so many milliseconds from now, and returns when that is.
    pub fn ends_in(&self, booking: &Booking, milliseconds: i64) -> NaiveDateTime {
        retry_while_busy(|| {
            self.db.write_blocking(|db| {
                let until = clock(db)? + TimeDelta::milliseconds(milliseconds);
                let hold = holds::table.find(booking.id);
                diesel::update(hold).set(holds::held_until.eq(until)).execute(db)?;
                Ok(until)
            })
        })
    }
}

/// An order for Ada that is held for an hour.
pub fn held(key: &str, lines: &[(i64, i32)]) -> Order {
    let lines = lines.iter().map(|&(ticket_type_id, quantity)| OrderLine { ticket_type_id, quantity });
    let buyer = Buyer::with_email("Ada Lovelace", "ada@example.org");
    Order::new(lines, buyer, key.to_owned()).held_for(3600)
}

fn url(database: &TestDatabase) -> DatabaseUrl {
    DatabaseUrl::parse(&database.url).expect("a URL")
}

/// Tries again while other work keeps the database busy.
pub fn retry_while_busy<T>(mut work: impl FnMut() -> Result<T, Error>) -> T {
    loop {
        match work() {
            Ok(done) => return done,
            Err(Error::Busy) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
