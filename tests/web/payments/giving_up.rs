//! A buyer releases tickets while they may be being paid for.

use std::thread;
use std::time::Duration;

use diesel::RunQueryDsl as _;
use techkraft::db::{Db, clock};
use techkraft::payment::store::settling::{PaidPage, Settlement, settle};

use super::{is_confirmed, open, want};
use crate::support::orders::BoxOffice;
use testkit::server::assert_verified;
use testkit::stripe::Delivery;
use testkit::wait::eventually;

/// One tab releases the tickets. It has read that they are held when the payment of another tab is settled.
#[test]
fn tickets_that_are_paid_for_in_that_moment_are_not_released() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    stripe.deliver(Delivery::Never);
    assert!(stripe.pay(&session));
    let office = BoxOffice::open(&app.database);
    let is_postgres = app.database.is_postgres();
    let answer = thread::scope(|scope| {
        let settled = office.db.write_blocking(|db| {
            if let Db::Postgres(pg) = db {
                diesel::sql_query("SELECT 1 FROM holds FOR UPDATE").execute(pg)?;
            }
            let releasing = scope.spawn(|| app.post(&format!("{path}/release"), &[]));
            // Long enough for the release to read the booking and to wait for this transaction.
            if is_postgres {
                eventually("it waits", || app.count("pg_locks WHERE NOT granted") > 0);
            } else {
                thread::sleep(Duration::from_millis(500));
            }
            let paid = PaidPage {
                session_id: session.clone(),
                session_ends_at: clock(db)?,
                intent_id: "pi_1".into(),
                method: None,
                fee: None,
            };
            let settlement = settle(db, 1, &paid)?;
            assert_eq!(settlement, Settlement::Confirmed { stock: Vec::new() });
            Ok(releasing)
        });
        settled.expect("it is settled").join().expect("an answer")
    });
    assert_eq!(answer.status(), 303);
    assert!(is_confirmed(&app, &path));
    assert_eq!((app.database.tier("VIP").sold, app.count("refunds")), (2, 0));
    assert_verified(&app.database);
}
