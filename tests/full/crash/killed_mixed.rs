//! The server is killed in mid-rush, while buyers take tickets of two ticket types at once and another server holds
//! tickets, confirms some of the holds and leaves the others to expire.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Text};
use rand::RngExt as _;

use techkraft::booking::buyer::Buyer;
use techkraft::booking::release::store::confirm_hold;
use techkraft::booking::store::book_batch;
use techkraft::booking::{BookingOutcome, Order, OrderLine};
use techkraft::db::{Database, DatabaseUrl};
use testkit::database::TestDatabase;
use testkit::rush::{Rush, order};
use testkit::server::{Server, assert_verified, logged_errors};
use testkit::visitor::Visitor;
use testkit::wait::eventually;

const ROUNDS: u32 = 12;
const BUYERS: u64 = 24;
/// An order or a hold that has not ended after this time is stuck.
const STUCK: Duration = Duration::from_secs(45);

/// Ticket types and quantities.
type Lines = BTreeMap<i64, i32>;

/// What buyers have seen.
#[derive(Default)]
struct Seen {
    /// Confirmed bookings by request key: token and lines.
    booked: BTreeMap<String, (String, Lines)>,
    retried: usize,
    /// Holds by request key: whether the confirmation came in time.
    held: BTreeMap<String, (bool, Lines)>,
    wrong: Vec<String>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    request_key: String,
    #[diesel(sql_type = Text)]
    token: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    ticket_type_id: i64,
    #[diesel(sql_type = Integer)]
    quantity: i32,
}

/// Every booking exists with all of its lines, or not at all. Every hold has ended exactly once.
///
/// Seen to fail with `booking_lines` written in a transaction of their own: there were bookings without lines.
#[test]
fn bookings_of_two_ticket_types_and_holds_survive_kill_9_whole() {
    let database = TestDatabase::create();
    let mut server = Server::start(&database, &[]);
    database.execute("UPDATE ticket_types SET max_per_person = NULL");
    // The first ticket type sells out early. From then on an order for it and another type gets neither.
    let rush = Rush::on(&database, [200, 2_000, 1_000_000]);
    let ids = testkit::rush::tier_ids(&database);
    let seen = Mutex::new(Seen::default());
    let mut random = rush.random(u64::MAX);
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        for buyer in 0..BUYERS {
            let (rush, seen, ids, address) = (&rush, &seen, &ids, server.address);
            scope.spawn(move || {
                let (mut visitor, mut random) = (Visitor::new(address), rush.random(buyer));
                while !rush.is_over() {
                    let first = random.random_range(0..ids.len());
                    let lines =
                        [ids[first], ids[(first + 1) % ids.len()]].map(|id| (id, random.random_range(1..=3)));
                    buy(seen, &mut visitor, lines);
                }
            });
        }
        for holder in 0..2 {
            let (rush, seen, ids, database) = (&rush, &seen, &ids, &database);
            scope.spawn(move || hold_and_confirm(rush, seen, database, ids, BUYERS + holder));
        }
        for _ in 0..ROUNDS {
            thread::sleep(Duration::from_millis(random.random_range(100..600)));
            server.kill();
            server.start_again();
            server.wait_until_it_listens();
        }
        thread::sleep(Duration::from_millis(200));
    });
    eventually("all holds have ended", || database.count("holds") == 0);
    let seen = seen.into_inner().expect("a lock");
    assert!(seen.wrong.is_empty(), "{:#?}\n{:#?}", seen.wrong, logged_errors(&database));
    let confirmed = seen.held.values().filter(|(is_confirmed, _)| *is_confirmed).count();
    println!(
        "{} bookings of two ticket types, {} of them after an answer was lost; {} holds, {confirmed} of them confirmed",
        seen.booked.len(),
        seen.retried,
        seen.held.len()
    );
    assert!(seen.retried > 0, "no order was cut off, so nothing was proved");
    assert!(confirmed > 0 && confirmed < seen.held.len(), "holds end in both ways");
    assert_seen(&database, &seen);
    assert_eq!(logged_errors(&database), [""; 0]);
    assert_verified(&database);
    database.assert_books_balance();
}

fn buy(seen: &Mutex<Seen>, visitor: &mut Visitor, lines: [(i64, i32); 2]) {
    let [(main, quantity), (other, others)] = lines;
    let purchase = order(main, quantity);
    let form = [
        ("ticket_type", main.to_string()),
        ("quantity", quantity.to_string()),
        (&*format!("quantity_{other}"), others.to_string()),
        ("name", "Ada Lovelace".to_owned()),
        ("email", purchase.email()),
        ("request_key", purchase.request_key.clone()),
    ];
    let begun = Instant::now();
    for attempt in 0.. {
        let answer = visitor.post("/bookings", &form);
        let mut seen = seen.lock().expect("a lock");
        match answer.as_ref().map(|answer| answer.status) {
            Ok(303) => {
                let token = answer.expect("it came").location().trim_start_matches("/bookings/").to_owned();
                seen.booked.insert(purchase.request_key, (token, lines.into()));
                seen.retried += usize::from(attempt > 0);
                return;
            }
            Ok(409) => return,
            // The server is away, or busy.
            Ok(503) | Err(_) => {}
            Ok(status) => return seen.wrong.push(format!("{status} for {form:?}")),
        }
        if begun.elapsed() > STUCK {
            return seen.wrong.push(format!("{form:?} never came to an end"));
        }
        drop(seen);
        thread::sleep(Duration::from_millis(10));
    }
}

/// Holds and confirms tickets as another server does, one that is not killed.
fn hold_and_confirm(rush: &Rush, seen: &Mutex<Seen>, database: &TestDatabase, ids: &[i64], holder: u64) {
    let url = DatabaseUrl::parse(&database.url).expect("a URL");
    let shop = Database::open(&url, 1).expect("a database");
    let (mut writer, mut random) = (shop.writer(), rush.random(holder));
    while !rush.is_over() {
        let lines: Lines = [ids[1], ids[2]].map(|id| (id, random.random_range(1..=3))).into();
        let key = order(ids[1], 1).request_key;
        let wanted = lines.iter().map(|(&ticket_type_id, &quantity)| OrderLine { ticket_type_id, quantity });
        let order =
            Order::new(wanted, Buyer::with_email("Ada Lovelace", "ada@example.org"), key.clone()).held_for(1);
        let outcome = until_it_works(seen, || writer.run(|db| book_batch(db, &[&order])));
        let booking = match outcome.and_then(|mut batch| batch.outcomes.pop()) {
            Some(BookingOutcome::Booked(booking) | BookingOutcome::Replayed(booking)) => booking,
            Some(BookingOutcome::NotEnough { .. }) => continue,
            other => return seen.lock().expect("a lock").wrong.push(format!("a hold: {other:?}")),
        };
        // Some holds are confirmed in time, some too late, and some never.
        thread::sleep(Duration::from_millis(random.random_range(0..30)));
        if random.random_ratio(1, 20) {
            thread::sleep(Duration::from_secs(1));
        }
        let is_confirmed = random.random_ratio(1, 2)
            && until_it_works(seen, || shop.write_blocking(|db| confirm_hold(db, booking.id)))
                .unwrap_or_default();
        seen.lock().expect("a lock").held.insert(key, (is_confirmed, lines));
    }
}

/// Retries, because the other server may block the database for a moment.
fn until_it_works<T, E: std::fmt::Debug>(
    seen: &Mutex<Seen>,
    mut attempt: impl FnMut() -> Result<T, E>,
) -> Option<T> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return Some(value),
            Err(error) if begun.elapsed() > STUCK => {
                seen.lock().expect("a lock").wrong.push(format!("it never worked: {error:?}"));
                return None;
            }
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn assert_seen(database: &TestDatabase, seen: &Seen) {
    let rows: Vec<Row> = database.rows(
        "SELECT b.request_key, b.token, b.status, l.ticket_type_id, l.quantity
         FROM bookings b JOIN booking_lines l ON l.booking_id = b.id",
    );
    let mut there: BTreeMap<String, (String, String, Lines)> = BTreeMap::new();
    for row in rows {
        let (_, _, lines) =
            there.entry(row.request_key).or_insert_with(|| (row.token, row.status, Lines::default()));
        lines.insert(row.ticket_type_id, row.quantity);
    }
    assert_eq!(there.len() as u64, database.count("bookings"), "bookings without lines");
    for (key, (token, lines)) in &seen.booked {
        let expected = (token.clone(), "confirmed".to_owned(), lines.clone());
        assert_eq!(there.remove(key), Some(expected), "{key}");
    }
    for (key, (is_confirmed, lines)) in &seen.held {
        let status = if *is_confirmed { "confirmed" } else { "expired" };
        let found = there.remove(key).map(|(_, status, lines)| (status, lines));
        assert_eq!(found, Some((status.to_owned(), lines.clone())), "the hold {key}");
    }
    assert!(there.is_empty(), "nobody has seen these: {there:#?}");
}
