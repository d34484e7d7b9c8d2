//! Measures a sale that is paid for online: `cargo bench --bench paid`. 5,000 buyers want 1,300 tickets at the same
//! moment, and Stripe makes 25 payment pages a second, each within a third of a second. All tickets must be sold, no
//! ticket twice, and no hold may be lost. The last sale must come nearly as soon as Stripe's limit allows.
//!
//! The benchmark runs on the database that `TEST_DATABASE_URL` names, or on SQLite. `-- --quick` sells fewer tickets,
//! and does not judge the time.

mod buyers;

use std::env;
use std::process::ExitCode;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use buyers::Bought;
use testkit::database::TestDatabase;
use testkit::server::{Server, logged_errors, techkraft};
use testkit::stripe::{FakeStripe, Fault, stripe_settings};

struct Plan {
    tickets: u32,
    buyers: usize,
    judges_time: bool,
}

impl Plan {
    const FULL: Self = Self { tickets: 1_300, buyers: 5_000, judges_time: true };
    const QUICK: Self = Self { tickets: 260, buyers: 1_000, judges_time: false };
}

/// How many requests a second Stripe accepts at each endpoint. The site sends a little fewer, because Stripe refuses
/// requests that come too fast, and clocks are not exact.
const STRIPE_LIMIT: u32 = 25;
const STRIPE_PER_SECOND: &str = "24";
/// How long Stripe takes to answer a request about a payment page.
const STRIPE_ANSWERS_AFTER: Duration = Duration::from_millis(300);
/// Stripe's limit allows the last sale after a certain time. The real time may be at most that time divided by this.
const LEAST: f64 = 0.9;
/// A sale that has not ended after this time will never end.
const TIMEOUT: Duration = Duration::from_secs(300);
const PRICE_MINOR: i64 = 3_000;
/// The stack of a buyer's thread. It is small, because there are thousands of threads.
const STACK_BYTES: usize = 256 * 1024;

fn main() -> ExitCode {
    // Only `cargo bench` passes `--bench`; `cargo test --benches` must not wait that long.
    if !env::args().any(|argument| argument == "--bench") {
        println!("Nothing is measured here: run `cargo bench --bench paid`.");
        return ExitCode::SUCCESS;
    }
    let plan = if env::args().any(|argument| argument == "--quick") { Plan::QUICK } else { Plan::FULL };
    let (database, stripe) = (TestDatabase::create(), Arc::new(FakeStripe::start()));
    let mut server = open(&database, &stripe, &plan);
    println!(
        "{} tickets, {} buyers, {STRIPE_LIMIT} requests a second at each of Stripe's endpoints",
        plan.tickets, plan.buyers
    );
    let payer = Arc::clone(&stripe);
    thread::spawn(move || buyers::pay(&payer));
    let (bought, took) = sell(&database, &server, &plan);
    server.stop();
    let is_well = report(&database, &stripe, &plan, &bought, took);
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Starts a server whose concerts are paid for online, with the planned number of General Admission tickets.
fn open(database: &TestDatabase, stripe: &FakeStripe, plan: &Plan) -> Server {
    let url = stripe.url();
    let pace = [("STRIPE_PER_SECOND", STRIPE_PER_SECOND)];
    let settings = [&stripe_settings(&url)[..], &pace].concat();
    let mut server = Server::start(database, &settings);
    server.stop();
    // The server's board has this change after the next start.
    database.execute("UPDATE events SET payment = 'online'");
    let tickets = plan.tickets;
    database.execute(&format!(
        "UPDATE ticket_types SET capacity = {tickets}, available = {tickets}, price_minor = {PRICE_MINOR},
             max_per_person = NULL, version = version + 1 WHERE name = 'General Admission'"
    ));
    server.start_again();
    server.wait_until_it_listens();
    stripe.send_webhooks_to(&format!("http://{}/webhooks/stripe", server.address));
    stripe.limit(STRIPE_LIMIT);
    stripe.fail("/v1/checkout/sessions", Fault::Late(STRIPE_ANSWERS_AFTER));
    server
}

/// Starts the buyers. Returns those who have held a ticket, and the time until the last sale.
fn sell(database: &TestDatabase, server: &Server, plan: &Plan) -> (Vec<Bought>, Duration) {
    let ticket_type = database.ticket_type_id("General Admission");
    let (start, address) = (Barrier::new(plan.buyers + 1), server.address);
    thread::scope(|scope| {
        let buyer = || {
            let buy = || buyers::buy(address, ticket_type, &start, TIMEOUT);
            thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, buy).expect("a thread")
        };
        let buyers: Vec<_> = (0..plan.buyers).map(|_| buyer()).collect();
        start.wait();
        let begun = Instant::now();
        while sold(database) < u64::from(plan.tickets) && begun.elapsed() < TIMEOUT {
            thread::sleep(Duration::from_millis(100));
        }
        let took = begun.elapsed();
        (buyers.into_iter().filter_map(|buyer| buyer.join().expect("a buyer")).collect(), took)
    })
}

fn sold(database: &TestDatabase) -> u64 {
    database.count("bookings WHERE status = 'confirmed'")
}

/// Prints the results. Returns whether all checks passed.
fn report(
    database: &TestDatabase,
    stripe: &FakeStripe,
    plan: &Plan,
    bought: &[Bought],
    took: Duration,
) -> bool {
    let held_after = bought.iter().map(|it| it.held_after).max().unwrap_or_default();
    println!("{} have held a ticket, the last one after {:.1} s", bought.len(), held_after.as_secs_f64());
    let limit = f64::from(plan.tickets) / f64::from(STRIPE_LIMIT);
    let part = limit / took.as_secs_f64();
    println!(
        "the last of {} sales after {:.1} s; at Stripe's limit after {limit:.1} s: {part:.2}",
        sold(database),
        took.as_secs_f64()
    );
    let shown_after = bought.iter().filter_map(|it| it.shown_after).max().unwrap_or_default();
    println!("the last buyer has seen the ticket after {:.1} s", shown_after.as_secs_f64());
    let (pages, looks) =
        (stripe.asked("POST /v1/checkout/sessions"), stripe.asked("GET /v1/checkout/sessions"));
    println!("Stripe was asked {pages} times for a page, and {looks} times what became of one");
    let verified = techkraft(database).arg("verify").output().expect("it runs");
    println!("{}", String::from_utf8_lossy(&verified.stdout));
    let errors = logged_errors(database);
    errors.iter().for_each(|line| println!("{line}"));
    let (tickets, tier) = (u64::from(plan.tickets), database.tier("General Admission"));
    let checks = [
        ("all are sold", sold(database) == tickets),
        ("none is sold twice", u64::try_from(tier.sold).is_ok_and(|sold| sold == tickets)),
        ("no hold was lost", bought.iter().filter(|it| it.shown_after.is_some()).count() as u64 == tickets),
        ("every payment has its ticket", stripe.money() == (i64::from(plan.tickets) * PRICE_MINOR, 0)),
        ("the counts add up", verified.status.success() && errors.is_empty()),
        ("the last sale comes in time", part >= LEAST || !plan.judges_time),
    ];
    for (what, is_so) in checks {
        println!("{}  {what}", if is_so { "ok " } else { "NOT" });
    }
    checks.iter().all(|(_, is_so)| *is_so)
}
