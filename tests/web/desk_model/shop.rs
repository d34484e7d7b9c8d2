//! The real desk on a database of its own.

use std::sync::Arc;
use std::time::Duration;

use diesel::sql_types::{BigInt, Integer, Text};
use diesel::{QueryableByName, RunQueryDsl as _};
use techkraft::admin;
use techkraft::audit::Actor;
use techkraft::booking::buyer::Buyer;
use techkraft::booking::cancellation::{Canceler, Cancellation, store};
use techkraft::booking::desk::{Desk, DeskLimits};
use techkraft::booking::{BookingOutcome, Order};
use techkraft::db::{Database, DatabaseUrl, Db};
use techkraft::events::seed::{self, Seed};
use techkraft::reconciliation::reconcile;
use tokio::runtime::{Builder, Runtime};

use crate::desk_model::operation::{Asked, CAPACITIES, PERSON_LIMITS};
use testkit::database::TestDatabase;

pub struct Shop {
    desk: Arc<Desk>,
    db: Database,
    tier_ids: Vec<i64>,
    runtime: Runtime,
    /// The last field, so that it is dropped when nothing uses it anymore.
    _database: TestDatabase,
}

#[derive(QueryableByName)]
pub struct Tier {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Integer)]
    pub available: i32,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    request_key: String,
    #[diesel(sql_type = Text)]
    token: String,
    #[diesel(sql_type = Integer)]
    quantity: i32,
    #[diesel(sql_type = Text)]
    status: String,
}

#[derive(QueryableByName)]
struct Reference {
    #[diesel(sql_type = Text)]
    reference: String,
}

/// A desk on a database of its own that sells the small concert.
pub fn open_desk(batch_size: usize) -> (TestDatabase, Database, Desk) {
    let database = TestDatabase::seeded();
    let url = DatabaseUrl::parse(&database.url).expect("a URL");
    let db = Database::open(&url, 1).expect("it opens");
    sell_small_concert(&db);
    let limits = DeskLimits { queue_length: 100, batch_size, deadline: Duration::from_secs(5) };
    let desk = Desk::open(&db, Arc::default(), Arc::default(), limits).expect("it opens");
    (database, db, desk)
}

impl Shop {
    pub fn open(batch_size: usize) -> Self {
        let (database, db, desk) = open_desk(batch_size);
        let desk = Arc::new(desk);
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let tier_ids = read_tiers(&db).iter().map(|tier| tier.id).collect();
        Self { desk, db, tier_ids, runtime, _database: database }
    }

    pub fn order(&self, asked: &Asked) -> BookingOutcome {
        self.runtime.block_on(self.desk.book(self.order_of(asked))).expect("an outcome")
    }

    pub fn order_at_once(&self, orders: &[Asked]) -> Vec<BookingOutcome> {
        self.runtime.block_on(async {
            let book = |asked| {
                let (desk, order) = (Arc::clone(&self.desk), self.order_of(asked));
                tokio::spawn(async move { desk.book(order).await.expect("an outcome") })
            };
            let waiting: Vec<_> = orders.iter().map(book).collect();
            let mut outcomes = Vec::new();
            for answer in waiting {
                outcomes.push(answer.await.expect("a task"));
            }
            outcomes
        })
    }

    fn order_of(&self, asked: &Asked) -> Order {
        let buyer = Buyer::with_email(asked.buyer(), asked.email());
        let ticket_type_id = self.tier_ids.get(asked.tier).copied().unwrap_or(i64::MAX);
        Order::of_one_type(ticket_type_id, asked.quantity, buyer, key(asked.key))
    }

    /// Cancels as the organizer's pages do.
    pub fn cancel(&self, number: u8) {
        let query = format!("SELECT reference FROM bookings WHERE request_key = '{}'", key(number));
        let found: Vec<Reference> =
            self.db.read_primary_blocking(|db| diesel::sql_query(query).load(db)).expect("it is read");
        let Some(Reference { reference }) = found.into_iter().next() else { return };
        let canceler = Canceler::Organizer { reference, actor: Actor::command_line(), note: String::new() };
        let cancellation = Cancellation::of_all(canceler);
        self.db.write_blocking(|db| store::cancel(db, &cancellation)).expect("it is canceled");
        self.desk.restocked();
    }

    pub fn reseed(&self) {
        sell_small_concert(&self.db);
        self.desk.restocked();
    }

    /// What is left of each tier.
    pub fn tiers(&self) -> Vec<i32> {
        read_tiers(&self.db).iter().map(|tier| tier.available).collect()
    }

    /// Key, token, quantity and status of every booking, sorted by key.
    pub fn bookings(&self) -> Vec<(String, String, i32, String)> {
        let query = "SELECT b.request_key, b.token, l.quantity, b.status
                     FROM bookings b JOIN booking_lines l ON l.booking_id = b.id ORDER BY b.request_key";
        let rows: Vec<Row> =
            self.db.read_primary_blocking(|db| diesel::sql_query(query).load(db)).expect("it is read");
        rows.into_iter().map(|row| (row.request_key, row.token, row.quantity, row.status)).collect()
    }

    pub fn assert_reconciled(&self) {
        let reconciliation = self.db.read_primary_blocking(reconcile).expect("it is read");
        assert!(reconciliation.holds(), "{reconciliation}");
    }
}

pub fn read_tiers(db: &Database) -> Vec<Tier> {
    let query = "SELECT id, available FROM ticket_types ORDER BY position";
    db.read_primary_blocking(|db| diesel::sql_query(query).load(db)).expect("it is read")
}

pub fn key(number: u8) -> String {
    format!("key {number}")
}

/// Replaces the concert that was on sale.
fn sell_small_concert(db: &Database) {
    let reseed = |db: &mut Db| admin::store::reseed(db, &small_concert(), &Actor::command_line());
    db.write_blocking(reseed).expect("it is reseeded");
}

/// The concert with few tickets, so that tiers sell out and limits are reached soon.
fn small_concert() -> Seed {
    let mut concert = seed::concert();
    for (tier, (capacity, limit)) in
        concert.ticket_types.iter_mut().zip(CAPACITIES.into_iter().zip(PERSON_LIMITS))
    {
        (tier.capacity, tier.max_per_person) = (capacity, limit);
    }
    concert
}
