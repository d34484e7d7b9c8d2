//! All hostile clients at once, from one address that opens connections as fast as it can: visitors from other
//! addresses still get answers, and afterward no connection is left.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use techkraft::booking::request_key::RequestKeys;
use testkit::database::TestDatabase;
use testkit::server::{SECRET, Server, assert_verified, logged_errors};
use testkit::wait::eventually;

use crate::hostile::clients::{CLIENTS, GET, IS_OVER, connect};

const DURATION: Duration = Duration::from_secs(8);
/// How many clients of each kind run at once.
const EACH: usize = 4;
/// A visitor who waits longer than this has been kept out, even on a busy machine.
const LONGEST: Duration = Duration::from_secs(3);

#[test]
fn one_address_that_tries_everything_keeps_nobody_out() {
    let database = TestDatabase::create();
    let settings = [
        ("RATE_LIMITS", "on"),
        ("REQUEST_TIMEOUT_SECONDS", "3"),
        ("DESK_DEADLINE_MS", "2000"),
        ("RUST_LOG", "warn,actix_server=warn,actix_http=off"),
    ];
    let mut server = Server::prepared(&database, &settings);
    server.limit_descriptors(500);
    server.start_again();
    server.wait_until_it_listens();
    let opened = AtomicUsize::new(0);
    let booked = thread::scope(|scope| {
        for (_, client) in CLIENTS.iter().cycle().take(EACH * CLIENTS.len()) {
            scope.spawn(|| {
                while !IS_OVER.load(Ordering::Relaxed) {
                    // The client is refused, cut off, or done; then it tries again.
                    if let Ok(mut stream) = connect(server.address, [127, 0, 1, 1]) {
                        opened.fetch_add(1, Ordering::Relaxed);
                        drop(client(&mut stream));
                    }
                    thread::sleep(Duration::from_millis(20));
                }
            });
        }
        // Also ends the siege when a visitor was kept out and the test fails.
        let _end = EndOfSiege;
        visit(&server, &database)
    });
    println!("{} hostile connections, {booked} bookings", opened.into_inner());
    eventually("the connections are gone", || connections_of(&server) == 0);
    database.assert_books_balance();
    assert_verified(&database);
    assert_eq!(logged_errors(&database), Vec::<String>::new());
}

struct EndOfSiege;

impl Drop for EndOfSiege {
    fn drop(&mut self) {
        IS_OVER.store(true, Ordering::Relaxed);
    }
}

/// The number of connections that the server has not closed.
fn connections_of(server: &Server) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux");
    let port = format!(":{:04X}", server.address.port());
    // The states ESTABLISHED and CLOSE_WAIT, in which only the client has closed the connection.
    let is_open = |line: &&str| {
        let mut columns = line.split_whitespace().skip(1);
        columns.next().is_some_and(|own| own.ends_with(&port))
            && columns.nth(1).is_some_and(|state| ["01", "08"].contains(&state))
    };
    table.lines().filter(is_open).count()
}

/// Looks and books, each time from another address; returns how often it booked.
fn visit(server: &Server, database: &TestDatabase) -> usize {
    let keys = RequestKeys::new(&SECRET.into());
    let ticket_type = testkit::rush::tier_ids(database)[2];
    let begun = Instant::now();
    for number in 1_u8.. {
        if begun.elapsed() > DURATION {
            return usize::from(number - 1);
        }
        let key = keys.generate_at(Utc::now() - TimeDelta::seconds(1));
        let form = format!(
            "ticket_type={ticket_type}&quantity=1&name=Ada&email=ada%2B{number}%40example.org&request_key={}",
            key.as_str()
        );
        let post = crate::hostile::case::posted("/bookings", crate::hostile::stage::FORM, form.as_bytes());
        for (request, status) in [(GET.as_bytes(), "200"), (&post, "303")] {
            let asked = Instant::now();
            let answer = ask(server, [127, 0, 2, number], request);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "visitor {number}: {answer:?}");
            assert!(asked.elapsed() < LONGEST, "visitor {number} waited {:?}", asked.elapsed());
        }
        thread::sleep(Duration::from_millis(50));
    }
    0
}

fn ask(server: &Server, own: [u8; 4], request: &[u8]) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = connect(server.address, own).expect("a visitor is let in");
    stream.write_all(request).expect("sent");
    let mut start = [0; 64];
    let length = stream.read(&mut start).unwrap_or(0);
    String::from_utf8_lossy(&start[..length]).into_owned()
}
