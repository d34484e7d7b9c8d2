//! A crowd that looks at pages, polls and books, with 120 requests a second in total, and records failures.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::haproxy::fleet::Fleet;
use testkit::rush::Rush;
use testkit::server::techkraft;
use testkit::visitor::{Answer, Visitor};

/// One third looks at pages, one third polls, and one third books. Few enough for debug builds of three servers on two
/// cores beside other tests: an overloaded server rejects orders.
const PEOPLE: u64 = 60;
/// The time between two requests of one person.
const PACE: Duration = Duration::from_millis(500);
/// The time until a buyer tries again.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// A thread of release 0.1.0, which the blue places serve, may panic when the server has finished its work and stops.
/// This release does not (`ops::drain`).
const PANIC_OF_0_1_0: &str = "/std/src/thread/local.rs";
const POLL: &str = "/events/midnight-parade/availability";
const PAGE: &str = "/events/midnight-parade";

/// A request that was not answered as it should be.
#[derive(Debug, Clone)]
pub struct Failure {
    pub what: &'static str,
    /// The status, or the error of the connection.
    pub why: String,
    /// When the request was sent, and when it failed.
    pub sent: Instant,
    pub failed: Instant,
}

#[derive(Debug, Default)]
pub struct Seen {
    pub requests: usize,
    pub failures: Vec<Failure>,
    pub longest: Duration,
}

/// Has people use the site while `work` runs, and returns what they saw. Then checks that the database has exactly
/// the bookings that were confirmed to them.
pub fn during<T>(fleet: &Fleet, work: impl FnOnce() -> T) -> (Seen, T) {
    let rush = Rush::on(&fleet.database, [1_000_000; 3]);
    let seen = Mutex::<Seen>::default();
    let begun = Instant::now();
    let done = thread::scope(|scope| {
        let _end = rush.until_dropped();
        for number in 0..PEOPLE {
            let (rush, seen, visitor) = (&rush, &seen, fleet.visitor());
            // Each thread needs only a small stack.
            let thread = thread::Builder::new().stack_size(256 * 1024);
            thread.spawn_scoped(scope, move || person(rush, visitor, number, seen)).expect("a thread");
        }
        thread::sleep(Duration::from_secs(2));
        let done = work();
        thread::sleep(Duration::from_secs(1));
        done
    });
    let took = begun.elapsed();
    let seen = seen.into_inner().expect("a lock");
    println!(
        "{} requests in {took:.1?}, {:.0} a second, {} failed, the longest took {:?}",
        seen.requests,
        seen.requests as f64 / took.as_secs_f64(),
        seen.failures.len(),
        seen.longest,
    );
    for failure in seen.failures.iter().take(10) {
        println!("{} {} after {:?}", failure.what, failure.why, failure.failed - failure.sent);
    }
    // If only the previous release has served, the database still has its schema.
    assert!(techkraft(&fleet.database).arg("migrate").status().expect("it runs").success());
    rush.assert_true(&fleet.database, &fleet.visitor());
    let logs = fleet.logs();
    let is_error =
        |line: &&str| (line.contains("ERROR") || line.contains("panicked")) && !line.contains(PANIC_OF_0_1_0);
    let errors: Vec<&str> = logs.lines().filter(is_error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    (seen, done)
}

fn person(rush: &Rush, mut visitor: Visitor, number: u64, seen: &Mutex<Seen>) {
    let mut random = rush.random(number);
    // Spreads the first requests over the pace, so that not all come at the same moment.
    let mut next = Instant::now() + PACE * u32::try_from(number).expect("few") / PEOPLE as u32;
    while !rush.is_over() {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        next = Instant::now().max(next + PACE);
        match number % 3 {
            0 => _ = ask(seen, "page", 200, || visitor.get(PAGE)),
            1 => _ = ask(seen, "poll", 200, || visitor.get(POLL)),
            _ => {
                let purchase = rush.purchase(&mut random);
                let mut retried = false;
                // Retries with the same key until there is a final answer, as a browser's reload would.
                while let Err(()) = ask(seen, "order", 303, || visitor.book(&purchase))
                    .map(|answer| _ = rush.note(&answer, &purchase, retried))
                {
                    retried = true;
                    thread::sleep(AGAIN_AFTER);
                }
            }
        }
    }
}

/// Sends a request; returns the answer if it has the expected status, and records a failure otherwise.
fn ask(
    seen: &Mutex<Seen>,
    what: &'static str,
    good: u16,
    send: impl FnOnce() -> std::io::Result<Answer>,
) -> Result<Answer, ()> {
    let sent = Instant::now();
    let answer = send();
    let failed = Instant::now();
    let mut seen = seen.lock().expect("a lock");
    seen.requests += 1;
    seen.longest = seen.longest.max(failed - sent);
    let why = match answer {
        Ok(answer) if answer.status == good => return Ok(answer),
        Ok(answer) => format!("{} by {:?}", answer.status, answer.header("x-served-by")),
        Err(error) => error.to_string(),
    };
    seen.failures.push(Failure { what, why, sent, failed });
    Err(())
}
