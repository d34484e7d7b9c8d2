//! A sale that is paid for online, measured: `cargo bench --bench paid`. 5,000 buyers want 1,300 tickets in the same
//! moment, and Stripe makes 25 pages a second, each within a third of a second. All tickets are to be sold, none twice
//! and no hold lost, and the last sale is to come nearly as soon as Stripe allows.
//!
//! It runs on the database that `TEST_DATABASE_URL` names, or on SQLite. `-- --quick` sells fewer tickets, and does not
//! judge the time.

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

/// What Stripe takes in a second at each endpoint. The site asks for a little less: Stripe refuses what comes too fast,
/// and clocks are not exact.
const STRIPE_LIMIT: u32 = 25;
const STRIPE_PER_SECOND: &str = "24";
/// How long Stripe takes for an answer about a page.
const STRIPE_ANSWERS_AFTER: Duration = Duration::from_millis(300);
/// The time of the last sale is at most the limit's, divided by this.
const LEAST: f64 = 0.9;
/// A sale that has not ended by then never will.
const PATIENCE: Duration = Duration::from_secs(300);
const PRICE_MINOR: i64 = 3_000;
/// Of a buyer's thread: there are thousands.
const STACK_BYTES: usize = 256 * 1024;

fn main() -> ExitCode {
    // Only `cargo bench` says so; `cargo test --benches` must not wait that long.
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

/// A server on whose first concert the tickets of one kind are sold online.
fn open(database: &TestDatabase, stripe: &FakeStripe, plan: &Plan) -> Server {
    let url = stripe.url();
    let pace = [("STRIPE_PER_SECOND", STRIPE_PER_SECOND)];
    let settings = [&stripe_settings(&url)[..], &pace].concat();
    let mut server = Server::start(database, &settings);
    server.stop();
    // The board of the next start knows it.
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

/// Sends the buyers: those who have held a ticket, and how long the last sale took.
fn sell(database: &TestDatabase, server: &Server, plan: &Plan) -> (Vec<Bought>, Duration) {
    let ticket_type = database.ticket_type_id("General Admission");
    let (start, address) = (Barrier::new(plan.buyers + 1), server.address);
    thread::scope(|scope| {
        let buyer = || {
            let buy = || buyers::buy(address, ticket_type, &start, PATIENCE);
            thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, buy).expect("a thread")
        };
        let buyers: Vec<_> = (0..plan.buyers).map(|_| buyer()).collect();
        start.wait();
        let begun = Instant::now();
        while sold(database) < u64::from(plan.tickets) && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(100));
        }
        let took = begun.elapsed();
        (buyers.into_iter().filter_map(|buyer| buyer.join().expect("a buyer")).collect(), took)
    })
}

fn sold(database: &TestDatabase) -> u64 {
    database.count("bookings WHERE status = 'confirmed'")
}

/// Prints what came of it; whether it is as it should be.
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
