//! `techkraft verify` proves the money: each way in which it may not add up is found, and what has a reason is not.

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

/// A refund's row; its amount is noted at the payment as well.
fn refund(source: &str, state: &str, seats: &str) -> String {
    format!(
        "UPDATE payments SET refunded_minor = 10000;
         INSERT INTO refunds (id, payment_id, source, state, amount_minor, seats, idempotency_key, wanted_at, due_at)
         VALUES (1, 1, '{source}', '{state}', 10000, '{seats}', 'r', '2026-01-01', '2026-01-01')"
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
    for reason in [
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
        ("another amount than their refunds say", "UPDATE payments SET refunded_minor = 1"),
        ("refunds whose entries in the ledger do not add up", &refund("organizer", "done", "")),
        ("paid something else than their tickets are worth", &refund("system", "wanted", "")),
        ("paid something else than their tickets are worth", "UPDATE booking_lines SET returned = 1"),
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
