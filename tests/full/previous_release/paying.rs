//! Payments of this release, next to a server of the previous release, which does not know payments.

use std::thread;
use std::time::Duration;

use crate::previous_release::site::{assert_verified_by_both, previous};
use testkit::database::TestDatabase;
use testkit::rush::order;
use testkit::server::Server;
use testkit::stripe::{FakeStripe, stripe_settings};
use testkit::visitor::Visitor;
use testkit::wait::eventually;

/// Longer than the time between two searches for expired holds, in either release.
const SEVERAL_LOOKS: Duration = Duration::from_secs(5);

/// The time to pay is over, but the buyer can still pay on Stripe's page.
#[test]
fn the_previous_release_keeps_payable_holds_and_shows_paid_bookings() {
    let (database, stripe) = (TestDatabase::create(), FakeStripe::start());
    let url = stripe.url();
    let mut new = Server::start(&database, &stripe_settings(&url));
    new.stop();
    database.execute("UPDATE events SET payment = 'online'");
    new.start_again();
    new.wait_until_it_listens();
    stripe.send_webhooks_to(&format!("http://{}/webhooks/stripe", new.address));
    let before = previous(&database);
    let mut buyer = Visitor::new(new.address);
    let held = buyer.book(&order(database.ticket_type_id("VIP"), 2)).expect("an answer");
    assert_eq!(held.status, 303, "{}", held.body);
    assert_eq!(buyer.post(held.location(), &[]).expect("an answer").status, 303);
    let session = stripe.wait_for_open_sessions(1).remove(0);
    eventually("the page is written", || database.count("payments WHERE state = 'open'") == 1);
    // This release is down, and the previous one looks for expired holds.
    new.kill();
    database.execute("UPDATE holds SET pay_until = '2020-01-01 00:00:00'");
    thread::sleep(SEVERAL_LOOKS);
    let vip = database.tier("VIP");
    assert_eq!((vip.held, vip.available), (2, 98));
    assert!(stripe.pay(&session));
    new.start_again();
    new.wait_until_it_listens();
    eventually("it is confirmed", || database.count("bookings WHERE status = 'confirmed'") == 1);
    let path = held.location().trim_end_matches("/payment");
    let shown = Visitor::new(before.address).get(path).expect("an answer");
    assert!(shown.status == 200 && shown.body.contains("data-ticket-code"), "{}", shown.body);
    assert_verified_by_both(&database);
}
