//! `techkraft verify` checks the money: it finds each way in which the money may not add up, and accepts a difference
//! that has a reason.

use std::process::{Command, Output};

use crate::support::TestApp;
use testkit::database::TestDatabase;

fn verify(database: &TestDatabase) -> Output {
    Command::new(testkit::binary())
        .arg("verify")
        .env("DATABASE_URL", &database.url)
        .current_dir(database.folder.path())
        .output()
        .expect("the binary runs")
}

/// A booking of three tickets for $100 each that was paid for online, without a worker that could change it.
fn paid() -> TestApp {
    let app = TestApp::spawn();
    app.book_well("VIP", 3);
    app.database.execute(
        "INSERT INTO payments (id, booking_id, live, state, currency, amount_minor, refund_fee_minor, idempotency_key,
             session_id, session_ends_at, wanted_at, paid_at, due_at)
         SELECT 1, id, true, 'paid', 'USD', 30000, 0, 'a', 'cs_1', created_at, created_at, created_at, created_at
         FROM bookings;
         INSERT INTO payment_lines (payment_id, ticket_type_id, name, quantity, unit_price_minor)
         SELECT 1, ticket_type_id, 'VIP', quantity, unit_price_minor FROM booking_lines;
         INSERT INTO ledger (entry_key, booking_id, payment_id, kind, amount_minor, currency, live, entered_at)
         SELECT 'payment of 1', id, 1, 'payment', 30000, 'USD', true, created_at FROM bookings;
         INSERT INTO ledger (entry_key, booking_id, payment_id, kind, amount_minor, currency, live, entered_at)
         SELECT 'fee of 1', id, 1, 'fee', -900, 'USD', true, created_at FROM bookings",
    );
    app
}

/// SQL for a refund's row; the payment records the amount too.
fn refund(source: &str, state: &str, seats: &str) -> String {
    format!(
        "UPDATE payments SET refunded_minor = 10000;
         INSERT INTO refunds (id, payment_id, source, state, amount_minor, seats, idempotency_key,
                wanted_at, due_at)
         VALUES (1, 1, '{source}', '{state}', 10000, '{seats}', 'r', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)"
    )
}

/// SQL that gives one ticket back and refunds `refunded` of its price.
fn given_back(fee: &str, refunded: i64) -> String {
    let mut acts = format!(
        "UPDATE payments SET refund_fee_minor = {fee}, refunded_minor = {refunded};
         UPDATE booking_lines SET returned = 1;
         UPDATE ticket_types SET available = available + 1 WHERE name = 'VIP';
         INSERT INTO used_tickets (booking_id, seat, ticket_type_id, state, gate, actor, used_at)
         SELECT booking_id, 2, ticket_type_id, 'returned', '', '', '2026-11-01 10:00:00' FROM booking_lines"
    );
    if refunded > 0 {
        acts += &format!(
            "; INSERT INTO refunds (id, payment_id, source, state, amount_minor, seats, idempotency_key,
                wanted_at, due_at)
             VALUES (1, 1, 'buyer', 'done', {refunded}, '2', 'r', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)"
        );
    }
    acts
}

/// SQL that records that an organizer has given the ticket back.
const NOTE: &str = "INSERT INTO cancellation_notes (booking_id, seats, message, canceled_at)
    SELECT id, '2', '', '2026-11-01 10:00:00' FROM bookings";

fn ledger(refunded: i64) -> String {
    format!(
        "INSERT INTO ledger
         (entry_key, booking_id, payment_id, refund_id, kind, amount_minor, currency, live, entered_at)
         SELECT 'refund 1', id, 1, 1, 'refund', -{refunded}, 'USD', true, created_at FROM bookings"
    )
}

/// The refund's entry in the ledger.
const GONE: &str = "INSERT INTO ledger
    (entry_key, booking_id, payment_id, refund_id, kind, amount_minor, currency, live, entered_at)
    SELECT 'refund 1', id, 1, 1, 'refund', -10000, 'USD', true, created_at FROM bookings";

#[test]
fn money_that_adds_up_is_shown() {
    let app = paid();
    let table = String::from_utf8_lossy(&verify(&app.database).stdout).into_owned();
    assert!(
        table.contains("PAID ONLINE: $300.00, of which $0.00 went back; Stripe has kept $9.00"),
        "{table}"
    );
    assert!(table.contains("All counts add up."), "{table}");
    let one_kept = |fee: &str, refunded: i64| format!("{}; {}", given_back(fee, refunded), ledger(refunded));
    for reason in [
        // The buyer gives one ticket back: the terms keep a part of its price, or all of it.
        &one_kept("251", 9_749),
        &format!("{}; UPDATE payments SET refund_fee_minor = NULL", given_back("NULL", 0)),
        &refund("organizer", "wanted", ""),
        &format!("{}; {GONE}", refund("outside", "done", "")),
        &format!("{}; {GONE}", refund("dispute", "pending", "")),
    ] {
        let app = paid();
        app.database.execute(reason);
        let output = verify(&app.database);
        assert!(output.status.success(), "{reason}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn money_that_does_not_add_up_is_named() {
    let entry = "INSERT INTO ledger (entry_key, booking_id, payment_id, kind, amount_minor, currency, live, entered_at)
        VALUES ('payment of 9', 9, 9, 'payment', 30000, 'USD', true, '2026-01-01')";
    for (says, damage) in [
        ("payments without their entry in the ledger", "UPDATE payments SET amount_minor = 30001"),
        ("about real money without a payment", entry),
        ("whose refunds do not add up", "UPDATE payments SET refunded_minor = 1"),
        ("refunds whose ledger entries do not add up", &refund("organizer", "done", "")),
        ("do not match the value of their tickets", &refund("system", "wanted", "")),
        ("do not match the value of their tickets", "UPDATE booking_lines SET returned = 1"),
        // The fee is 2.51, and less than that came back.
        (
            "do not match the value of their tickets",
            &format!("{}; {}", given_back("251", 9_748), ledger(9_748)),
        ),
        // The organizer gave the ticket back, so its whole price is due, whatever the buyer's terms say.
        ("do not match the value of their tickets", &format!("{}; {NOTE}", given_back("251", 0))),
        ("do not match the value of their tickets", &format!("{}; {NOTE}", given_back("NULL", 0))),
        // A refund by the organizer excuses only its own amount.
        (
            "do not match the value of their tickets",
            "UPDATE payments SET refunded_minor = 20000;
             INSERT INTO refunds (id, payment_id, source, state, amount_minor, seats, idempotency_key,
                wanted_at, due_at)
             VALUES (1, 1, 'organizer', 'wanted', 1000, '', 'r', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP),
                    (2, 1, 'system', 'wanted', 19000, '', 's', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)",
        ),
        (
            "whose online payment did not complete",
            "UPDATE payments SET state = 'expired', paid_at = NULL",
        ),
        ("payments that need review", "UPDATE payments SET state = 'review', paid_at = NULL"),
        (
            "failed refunds that no later refund replaces",
            "INSERT INTO refunds (id, payment_id, source, state, amount_minor, idempotency_key, wanted_at, due_at)
             VALUES (1, 1, 'organizer', 'failed', 1000, 'r', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)",
        ),
        (
            "refunds that have been waiting for more than a day",
            "UPDATE payments SET refunded_minor = 1000;
             INSERT INTO refunds (id, payment_id, source, state, amount_minor, idempotency_key, wanted_at, due_at)
             VALUES (1, 1, 'organizer', 'wanted', 1000, 'r', '2026-01-01', CURRENT_TIMESTAMP)",
        ),
        (
            "took back more than was paid",
            "UPDATE payments SET refunded_minor = 30000;
             INSERT INTO refunds (id, payment_id, source, state, amount_minor, beyond_minor, idempotency_key,
                wanted_at, due_at)
             VALUES (1, 1, 'dispute', 'pending', 31000, 1000, 'r', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)",
        ),
        (
            "whose outcome is still unknown",
            "UPDATE payments SET state = 'open', paid_at = NULL, session_ends_at = '2020-01-01 00:00:00'",
        ),
        ("paid bookings that are still held", "UPDATE bookings SET status = 'held'"),
        ("in another currency than their booking's", "UPDATE payments SET currency = 'EUR'"),
        (
            "while somebody can still pay for them",
            "UPDATE payments SET state = 'open', paid_at = NULL, session_ends_at = '2999-12-31 00:00:00'",
        ),
    ] {
        let app = paid();
        app.database.execute(damage);
        let output = verify(&app.database);
        let table = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && table.contains(says), "{says}: {table}");
    }
}
