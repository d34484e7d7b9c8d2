//! Payments while the server is killed (`kill -9`) in each of its calls to Stripe: after its own commit but before
//! Stripe acts, and after Stripe has acted but before the server has stored the answer. At the end the tests count
//! tickets and money.

use std::thread;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use testkit::database::TestDatabase;
use testkit::rush::order;
use testkit::server::{Server, assert_verified, logged_errors};
use testkit::stripe::{Delivery, FakeStripe, Fault, stripe_settings};
use testkit::visitor::Visitor;
use testkit::wait::{eventually, within};

/// The call is cut off before Stripe acts, and after.
const BOTH: [Fault; 2] = [Fault::Hang, Fault::Mute];

struct Shop {
    database: TestDatabase,
    stripe: FakeStripe,
    server: Server,
}

impl Shop {
    fn open() -> Self {
        let (database, stripe) = (TestDatabase::create(), FakeStripe::start());
        let url = stripe.url();
        let mut server = Server::start(&database, &stripe_settings(&url));
        server.stop();
        // The server reads this into its board when it starts again.
        database.execute("UPDATE events SET payment = 'online', cancellation_deadline_minutes = 0");
        stripe.send_webhooks_to(&format!("http://{}/webhooks/stripe", server.address));
        let mut shop = Self { database, stripe, server };
        shop.start_again();
        shop
    }

    fn post(&self, path: &str) {
        let answer = Visitor::new(self.server.address).post(path, &[]).expect("an answer");
        assert_eq!(answer.status, 303, "{path}: {}", answer.body);
    }

    /// Holds two VIP tickets for 200 dollars; returns the booking's path.
    fn hold(&self) -> String {
        let purchase = order(self.database.ticket_type_id("VIP"), 2);
        let answer = Visitor::new(self.server.address).book(&purchase).expect("an answer");
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer.location().trim_end_matches("/payment").to_owned()
    }

    /// Holds two tickets and opens the payment page; returns the booking's path and the Stripe session.
    fn want(&self) -> (String, String) {
        let path = self.hold();
        self.post(&format!("{path}/payment"));
        let session = self.stripe.wait_for_open_sessions(1).remove(0);
        eventually("the page is written", || self.count("payments WHERE state = 'open'") == 1);
        (path, session)
    }

    fn paid(&self) -> (String, String) {
        let (path, session) = self.want();
        assert!(self.stripe.pay(&session));
        eventually("it is paid", || self.count("bookings WHERE status = 'confirmed'") == 1);
        (path, session)
    }

    fn count(&self, from: &str) -> u64 {
        self.database.count(from)
    }

    /// `kill -9`. A server that is killed between its two marks leaves an SQLite file that needs its WAL. This test
    /// opens the file next. Like every server, it must set the second mark, since closing the file may remove the
    /// WAL.
    fn kill(&mut self) {
        self.server.kill();
        if !self.database.is_postgres() {
            self.database.execute("PRAGMA user_version = 2");
        }
    }

    /// Runs `act`, which makes the server call Stripe, and kills the server while it waits for an answer that will
    /// not come. Does not start the server again.
    fn kill_in_call(&mut self, fault: Fault, path: &'static str, act: impl FnOnce(&Self)) {
        let before = self.stripe.unanswered();
        self.stripe.fail(path, fault);
        act(self);
        eventually("Stripe is asked", || self.stripe.unanswered() > before);
        self.kill();
        self.stripe.be_well();
    }

    /// Starts the server again, with all leases over, so that all pending work is due.
    fn start_again(&mut self) {
        for table in ["payments", "refunds", "payment_events"] {
            self.database.execute(&format!("UPDATE {table} SET due_at = '2020-01-01 00:00:00'"));
        }
        self.start_to_read_the_list();
    }

    /// Starts the server again with only the reading of Stripe's list of events due.
    fn start_to_read_the_list(&mut self) {
        self.database
            .execute("UPDATE payment_clocks SET at = '2020-01-01 00:00:00' WHERE name = 'reconciling'");
        self.server.start_again();
        self.server.wait_until_it_listens();
    }

    /// Waits until nothing is pending; then checks the tickets sold and the money: paid, and refunded.
    fn assert_ends(&self, sold: i64, money: (i64, i64)) {
        eventually("nothing is under way", || {
            self.count("payments WHERE state IN ('wanted', 'open')") == 0
                && self.count("refunds WHERE state IN ('wanted', 'pending')") == 0
                && self.count("payment_events WHERE handled_at IS NULL") == 0
        });
        let vip = || self.database.tier("VIP");
        eventually("the tickets are counted", || (vip().sold, vip().held) == (sold, 0));
        assert_eq!(self.stripe.money(), money);
        assert_eq!(
            i64::try_from(self.count("payments WHERE state = 'paid'")).expect("few") * 20_000,
            money.0
        );
        assert_verified(&self.database);
        assert_eq!(logged_errors(&self.database), Vec::<String>::new());
    }
}

#[test]
fn killed_while_a_page_is_made() {
    for fault in BOTH {
        let mut shop = Shop::open();
        let path = shop.hold();
        shop.kill_in_call(fault, "/v1/checkout/sessions", |shop| shop.post(&format!("{path}/payment")));
        shop.start_again();
        let open = shop.stripe.wait_for_open_sessions(1);
        assert_eq!(shop.stripe.sessions().len(), 1, "one page, however often it was asked for");
        eventually("the page is written", || shop.count("payments WHERE state = 'open'") == 1);
        assert!(shop.stripe.pay(&open[0]));
        shop.assert_ends(2, (20_000, 0));
    }
}

#[test]
fn killed_while_a_payment_is_looked_up() {
    for fault in BOTH {
        let mut shop = Shop::open();
        let (_, session) = shop.want();
        shop.kill_in_call(fault, "/v1/checkout/sessions", |shop| assert!(shop.stripe.pay(&session)));
        assert_eq!(shop.database.tier("VIP").held, 2);
        shop.start_again();
        shop.assert_ends(2, (20_000, 0));
    }
}

/// Stripe may or may not have closed the page; meanwhile the buyer pays on it if that is still possible.
#[test]
fn killed_while_a_page_is_closed() {
    for fault in BOTH {
        for pays in [true, false] {
            let mut shop = Shop::open();
            let (path, session) = shop.want();
            shop.kill_in_call(fault, "/v1/checkout/sessions", |shop| shop.post(&format!("{path}/release")));
            assert_eq!(shop.database.tier("VIP").held, 2, "somebody may be paying");
            let is_paid = pays && shop.stripe.pay(&session);
            assert_eq!(is_paid, pays && fault == Fault::Hang);
            shop.start_again();
            if is_paid {
                shop.assert_ends(2, (20_000, 0));
            } else {
                shop.assert_ends(0, (0, 0));
            }
        }
    }
}

/// Also when the server starts again only a day later, when Stripe has forgotten the idempotency key.
#[test]
fn killed_while_money_goes_back() {
    for fault in BOTH {
        for is_a_day_later in [false, true] {
            let mut shop = Shop::open();
            let (path, _) = shop.paid();
            shop.kill_in_call(fault, "/v1/refunds", |shop| shop.post(&format!("{path}/cancellation")));
            if is_a_day_later {
                shop.stripe.forget_keys();
            }
            shop.start_again();
            shop.assert_ends(0, (20_000, 20_000));
        }
    }
}

#[test]
fn killed_while_a_refund_from_outside_is_read() {
    for fault in BOTH {
        let mut shop = Shop::open();
        let (_, session) = shop.paid();
        shop.kill_in_call(fault, "/v1/refunds", |shop| shop.stripe.refund_outside(&session, 5_001));
        shop.start_again();
        eventually("it is noted", || shop.count("refunds WHERE source = 'outside' AND state = 'done'") == 1);
        shop.assert_ends(2, (20_000, 5_001));
        assert_eq!(shop.count("mails WHERE kind = 'refund'"), 1);
    }
}

#[test]
fn killed_while_a_dispute_is_read() {
    for fault in BOTH {
        let mut shop = Shop::open();
        let (_, session) = shop.paid();
        shop.kill_in_call(fault, "/v1/disputes", |shop| _ = shop.stripe.dispute(&session));
        shop.start_again();
        eventually("it is noted", || shop.count("refunds WHERE source = 'dispute'") == 1);
        assert_eq!(shop.count("ledger WHERE kind = 'dispute' AND amount_minor = -20000"), 1);
        assert_verified(&shop.database);
    }
}

/// No webhook arrives, and the server is killed while it reads the list of events that has the payment.
#[test]
fn killed_while_the_list_of_events_is_read() {
    for fault in BOTH {
        let mut shop = Shop::open();
        let (_, session) = shop.want();
        eventually("the first look is over", || shop.count("payment_clocks WHERE name = 'reconciled'") == 1);
        shop.kill();
        shop.stripe.deliver(Delivery::Never);
        assert!(shop.stripe.pay(&session));
        // The servers were down for longer than the overlap between two readings of the list.
        shop.stripe.let_events_age(600);
        let last = Utc::now().naive_utc() - TimeDelta::minutes(20);
        shop.database.execute(&format!("UPDATE payment_clocks SET at = '{last}' WHERE name = 'reconciled'"));
        shop.stripe.fail("/v1/events", fault);
        let before = shop.stripe.unanswered();
        shop.start_to_read_the_list();
        eventually("Stripe is asked", || shop.stripe.unanswered() > before);
        shop.kill();
        shop.stripe.be_well();
        shop.start_to_read_the_list();
        shop.assert_ends(2, (20_000, 0));
    }
}

/// Kills the server at random moments: between a commit and the call to Stripe, between an answer and its commit,
/// while it handles webhooks.
#[test]
fn killed_again_and_again_in_a_rush() {
    let mut shop = Shop::open();
    let seed: u64 = rand::rng().random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let paths: Vec<String> = (0..40).map(|_| shop.hold()).collect();
    let mut wanted = 0;
    for _ in 0..10 {
        for path in paths.iter().skip(wanted).take(5) {
            shop.post(&format!("{path}/payment"));
            wanted += 1;
        }
        for session in shop.stripe.open_sessions() {
            match random.random_range(0..5) {
                0 => shop.stripe.decline(&session, "insufficient_funds"),
                1 => _ = shop.stripe.pay(&session),
                2 => {
                    let path = &paths[random.random_range(0..wanted)];
                    shop.post(&format!("{path}/release"));
                }
                _ => {}
            }
        }
        thread::sleep(Duration::from_millis(random.random_range(0..400)));
        shop.kill();
        shop.start_again();
    }
    // Paid bookings get their tickets; the time to pay for the others is over.
    eventually("every wish has its page", || shop.count("payments WHERE state = 'wanted'") == 0);
    shop.database.execute("UPDATE holds SET pay_until = '2020-01-01 00:00:00'");
    shop.kill();
    shop.start_again();
    within(Duration::from_secs(60), "nothing is under way", || {
        shop.count("payments WHERE state IN ('wanted', 'open')") == 0
            && shop.count("bookings WHERE status = 'held'") == 0
    });
    let (came, back) = shop.stripe.money();
    assert!(came > 0);
    // A buyer who released the tickets but paid all the same has the tickets, or the money back.
    shop.assert_ends((came - back) / 10_000, (came, back));
}
