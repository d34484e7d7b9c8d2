//! The outbox contains one confirmation for each booking, and no other confirmations.

use std::thread;
use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::Text;

use crate::support::{TestApp, browser};
use testkit::outbox::OUTBOX;

#[derive(Debug, PartialEq, Eq, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

fn rows(app: &TestApp) -> Vec<Row> {
    app.database.rows(&format!(
        "SELECT coalesce(b.reference, 'none') AS reference, outbox.kind FROM {OUTBOX}
         LEFT JOIN bookings b ON b.id = outbox.booking_id ORDER BY b.id, outbox.kind"
    ))
}

#[test]
fn a_booking_has_one_confirmation_whatever_is_sent_again() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 2);
    for _ in 0..3 {
        assert_eq!(app.confirm(&checkout, 2).status(), 303);
    }
    assert_eq!(app.confirm(&checkout, 3).status(), 422, "another order with the same key");
    let rows = rows(&app);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].reference.starts_with("TK-") && rows[0].kind == "confirmation", "{rows:?}");
}

#[test]
fn what_is_refused_has_none() {
    let app = TestApp::spawn();
    app.set_available("VIP", 1);
    assert_eq!(app.book("VIP", 2).status(), 409);
    // This is the confirmation of the tickets that the test sold directly in the database.
    assert_eq!(rows(&app).len(), 1);
    app.book_well("VIP", 1);
    assert_eq!(rows(&app).len(), 2);
}

/// The batches contain orders that fit, orders that do not fit, and repeated orders.
#[test]
fn in_a_race_the_winners_have_one_each_and_the_losers_none() {
    let app = TestApp::spawn();
    app.set_available("VIP", 30);
    let checkouts: Vec<_> = (0..48).map(|_| app.open_checkout("VIP", 1)).collect();
    let booked: usize = thread::scope(|scope| {
        let buy = |(number, checkout)| {
            let (client, app) = (browser(), &app);
            scope.spawn(move || {
                let email = format!("buyer-{number}@example.org");
                let confirm = || app.confirm_for(&email, &client, checkout, 1).status().as_u16();
                let statuses = [confirm(), confirm()];
                assert!(statuses == [303, 303] || statuses == [409, 409], "{statuses:?}");
                usize::from(statuses[0] == 303)
            })
        };
        let buyers: Vec<_> = checkouts.iter().enumerate().map(buy).collect();
        buyers.into_iter().map(|buyer| buyer.join().expect("a buyer")).sum()
    });
    assert_eq!(booked, 30);
    let mut rows = rows(&app);
    assert_eq!(rows.len(), 31, "with that of the tickets that were sold beside the app");
    rows.sort_by(|a, b| a.reference.cmp(&b.reference));
    rows.dedup();
    assert_eq!(rows.len(), 31, "each of another booking");
}

/// When a booking is deleted, its mails are deleted too.
#[test]
fn a_reseed_empties_the_outbox() {
    let app = TestApp::spawn();
    app.book_well("VIP", 2);
    let organizer = app.organizer();
    let form = [("event_name", "Midnight Parade"), ("password", app.admin_password.as_str())];
    let response = organizer.post(app.url("/admin/reseed")).form(&form).send().expect("an answer");
    assert_eq!(response.status(), 303);
    assert!(rows(&app).is_empty());
}

/// A reseed leaves such confirmations behind where mails are sent slowly. Seen to fail on PostgreSQL when they were
/// opened one by one in one transaction: the mail was not there after half a minute.
#[test]
fn confirmations_of_bookings_that_are_gone_hold_nobody_up() {
    let app = TestApp::spawn();
    let (gone, numbers) = if app.database.is_postgres() {
        ("'{900000}'", "generate_series(1, 40000)".to_owned())
    } else {
        let counted =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 40000) SELECT i FROM n";
        ("'[900000]'", format!("({counted})"))
    };
    let queue = |ids: &str, from: &str| {
        app.database.execute(&format!(
            "INSERT INTO confirmation_batches (booking_ids, queued_at) SELECT {ids}, '2026-01-01 00:00:00' FROM {from}"
        ));
    };
    app.database.without_confirmations(|| app.book_well("VIP", 1));
    queue(gone, &format!("{numbers} AS numbers"));
    let one = if app.database.is_postgres() { "array_agg(id)" } else { "json_group_array(id)" };
    queue(one, "bookings");
    let begun = Instant::now();
    while app.count("mails WHERE state = 'sent'") == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{} wait", app.count("confirmation_batches"));
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(app.count("confirmation_batches"), 0);
}
