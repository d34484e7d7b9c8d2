//! Buyers who never give up: each sends an order again with the same key until it is confirmed or refused, even if
//! the server is killed meanwhile. Also the check that all counts add up afterward.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Text};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use techkraft::booking::request_key::RequestKeys;

use crate::database::TestDatabase;
use crate::server::{SECRET, assert_verified, logged_errors};
use crate::visitor::{Answer, Purchase, Visitor};

/// After this many errors the rush stops.
const WRONG_MAX: usize = 20;
/// An order without a final answer for longer than this is stuck.
const STUCK: Duration = Duration::from_secs(45);

/// Keeps the machine for one test that makes it busy, until the returned value is dropped. Two such tests beside each
/// other would each find a machine that is too slow.
pub fn busy_machine() -> MutexGuard<'static, ()> {
    static BUSY: Mutex<()> = Mutex::new(());
    // A test that failed has left nothing behind that the next one could be in trouble with.
    BUSY.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Rush {
    _machine: MutexGuard<'static, ()>,
    tiers: Vec<i64>,
    keys: RequestKeys,
    pub seed: u64,
    is_over: AtomicBool,
    pub ledger: Mutex<Ledger>,
}

pub struct RushEnd<'a>(&'a Rush);

impl Drop for RushEnd<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// The answers that the buyers have seen.
#[derive(Debug, Default)]
pub struct Ledger {
    pub confirmed: Vec<Confirmed>,
    pub refused: Vec<Purchase>,
    /// How often each status was answered; 0 stands for a lost connection.
    pub statuses: BTreeMap<u16, usize>,
    pub wrong: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Confirmed {
    pub purchase: Purchase,
    pub location: String,
    pub at: Instant,
    /// Its first answer was lost, or was a 503.
    pub retried: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = Text)]
    pub request_key: String,
    #[diesel(sql_type = Text)]
    pub token: String,
    #[diesel(sql_type = BigInt)]
    pub ticket_type_id: i64,
    #[diesel(sql_type = Integer)]
    pub quantity: i32,
}

impl Rush {
    /// A rush on a seeded database. Its ticket types get these capacities, with no ticket sold.
    pub fn on(database: &TestDatabase, capacities: [u32; 3]) -> Self {
        let machine = busy_machine();
        let seed = rand::rng().random();
        println!("seed {seed}");
        for (capacity, position) in capacities.iter().zip(1..) {
            database.execute(&format!(
                "UPDATE ticket_types SET capacity = {capacity}, available = {capacity}, version = version + 1
                 WHERE position = {position}"
            ));
        }
        Self {
            _machine: machine,
            tiers: tier_ids(database),
            keys: RequestKeys::new(&SECRET.into()),
            seed,
            is_over: AtomicBool::new(false),
            ledger: Mutex::default(),
        }
    }

    /// The rush ends when the returned value is dropped, so also when a test fails; otherwise its buyers would go on
    /// forever.
    pub fn until_dropped(&self) -> RushEnd<'_> {
        RushEnd(self)
    }

    /// Starts buyers at one server, who buy until the rush is over.
    pub fn send_buyers<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, buyers: u64, to: SocketAddr) {
        for buyer in 0..buyers {
            scope.spawn(move || self.buy(&mut Visitor::new(to), buyer));
        }
    }

    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || self.has_failed()
    }

    fn has_failed(&self) -> bool {
        self.ledger.lock().expect("a lock").wrong.len() >= WRONG_MAX
    }

    pub fn random(&self, buyer: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed ^ buyer)
    }

    pub fn purchase(&self, random: &mut StdRng) -> Purchase {
        Purchase {
            ticket_type_id: self.tiers[random.random_range(..self.tiers.len())],
            quantity: random.random_range(1..=3),
            request_key: self.keys.generate().as_str().to_owned(),
        }
    }

    /// One buyer: sends order after order until the rush is over, and waits for the final answer to the last one.
    pub fn buy(&self, visitor: &mut Visitor, buyer: u64) {
        let mut random = self.random(buyer);
        while !self.is_over() {
            let purchase = self.purchase(&mut random);
            let Some(location) = self.settle(visitor, &purchase) else { continue };
            // A buyer who reloads, perhaps after an outage of the server, finds the same booking.
            if random.random_ratio(1, 8) && self.settle(visitor, &purchase) != Some(location.clone()) {
                self.note_wrong(format!("{purchase:?} was {location}, and its replay is not"));
            }
        }
    }

    /// Sends an order until it is confirmed or refused; returns the confirmed booking's path.
    pub fn settle(&self, visitor: &mut Visitor, purchase: &Purchase) -> Option<String> {
        let begun = Instant::now();
        let mut retried = false;
        while begun.elapsed() < STUCK && !self.has_failed() {
            match visitor.book(purchase).ok() {
                Some(answer) if self.note(&answer, purchase, retried) => {
                    return Some(answer.location().to_owned()).filter(|location| !location.is_empty());
                }
                Some(_) => {}
                None => *self.ledger.lock().expect("a lock").statuses.entry(0).or_default() += 1,
            }
            retried = true;
            thread::sleep(Duration::from_millis(10));
        }
        self.note_wrong(format!("{purchase:?} never came to an end"));
        None
    }

    /// Records an answer; returns whether it is final. Anything but 303, 409, and 503 with Retry-After is an error.
    pub fn note(&self, answer: &Answer, purchase: &Purchase, retried: bool) -> bool {
        let mut ledger = self.ledger.lock().expect("a lock");
        *ledger.statuses.entry(answer.status).or_default() += 1;
        let location = answer.location().to_owned();
        match answer.status {
            303 if location.starts_with("/bookings/") => {
                let purchase = purchase.clone();
                ledger.confirmed.push(Confirmed { purchase, location, at: Instant::now(), retried });
            }
            409 => ledger.refused.push(purchase.clone()),
            503 if !answer.header("retry-after").is_empty() => return false,
            // An error is recorded, and the order is tried again.
            status => {
                ledger.wrong.push(format!("{status} for {purchase:?}"));
                return false;
            }
        }
        true
    }

    pub fn note_wrong(&self, what: String) {
        self.ledger.lock().expect("a lock").wrong.push(what);
    }

    /// Checks that the database has exactly the confirmed bookings, as their buyers saw them, and that the counts are
    /// right.
    pub fn assert_true(&self, database: &TestDatabase, visitor: &Visitor) {
        let ledger = self.ledger.lock().expect("a lock");
        println!("answers by status, 0 for a lost connection: {:?}", ledger.statuses);
        let errors = logged_errors(database);
        assert!(ledger.wrong.is_empty(), "{:#?}\nthe servers logged {errors:#?}", ledger.wrong);
        assert!(errors.is_empty(), "the servers logged {errors:#?}");
        let seen: BTreeSet<Row> = ledger.confirmed.iter().map(Row::from).collect();
        let mut rows: Vec<Row> = database.rows(
            "SELECT b.request_key, b.token, l.ticket_type_id, l.quantity
                 FROM bookings b JOIN booking_lines l ON l.booking_id = b.id",
        );
        rows.sort();
        let unique: BTreeSet<&Row> = rows.iter().collect();
        assert_eq!(unique.len(), rows.len(), "a key booked twice");
        assert!(seen.iter().eq(rows.iter()), "buyers saw {} bookings, {} are there", seen.len(), rows.len());
        assert_verified(database);
        database.assert_books_balance();
        assert_links_open(&seen, visitor);
    }
}

impl From<&Confirmed> for Row {
    fn from(confirmed: &Confirmed) -> Self {
        let Purchase { ticket_type_id, quantity, request_key } = confirmed.purchase.clone();
        let token = confirmed.location.trim_start_matches("/bookings/").to_owned();
        Self { request_key, token, ticket_type_id, quantity }
    }
}

fn assert_links_open(bookings: &BTreeSet<Row>, visitor: &Visitor) {
    let paths: Vec<String> = bookings.iter().map(|row| format!("/bookings/{}", row.token)).collect();
    thread::scope(|scope| {
        for paths in paths.chunks(paths.len().div_ceil(8).max(1)) {
            scope.spawn(move || {
                let mut visitor = Visitor::new(visitor.address);
                for path in paths {
                    assert_eq!(visitor.get(path).expect("an answer").status, 200, "{path}");
                }
            });
        }
    });
}

#[derive(QueryableByName)]
struct TierId {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// The ids of the ticket types, in the order in which they are shown.
pub fn tier_ids(database: &TestDatabase) -> Vec<i64> {
    let ids: Vec<TierId> = database.rows("SELECT id FROM ticket_types ORDER BY position");
    ids.into_iter().map(|row| row.id).collect()
}

/// An order with a new key.
pub fn order(ticket_type_id: i64, quantity: i32) -> Purchase {
    let request_key = RequestKeys::new(&SECRET.into()).generate().as_str().to_owned();
    Purchase { ticket_type_id, quantity, request_key }
}
