//! The real payment code on a separate database, without a worker: the test plays the part of Stripe.

use std::cell::Cell;

use chrono::TimeDelta;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, QueryableByName};
use techkraft::audit::{Action, Actor};
use techkraft::booking::Booking;
use techkraft::booking::release::ReleaseOutcome;
use techkraft::booking::release::store::Releaser;
use techkraft::booking::store::find_by_id;
use techkraft::db::{Db, clock};
use techkraft::money::Money;
use techkraft::payment::store::by_hand::{AmountRefund, WantedAmount, refund_amount};
use techkraft::payment::store::outside::{
    OutsideRefund, dispute_decided, note_outside, refund_failed_at_provider,
};
use techkraft::payment::store::queue::{self, OpenedPage};
use techkraft::payment::store::returns::release_and_refund;
use techkraft::payment::store::settling::{PaidPage, Settlement, settle};
use techkraft::payment::store::{find, refunds, want};
use techkraft::payment::{Payment, Refund, RefundSource, RefundState};
use techkraft::reconciliation::reconcile;

use crate::ledger_model::{BOOKINGS, Event, FEE, SEATS};
use crate::support::orders::BoxOffice;
use testkit::database::TestDatabase;

pub struct Shop {
    office: BoxOffice,
    database: TestDatabase,
    /// The ids of each booking and its payment.
    bookings: Vec<(i64, i64)>,
    /// Numbers the objects that the provider makes, so that each has its own id.
    made: Cell<u32>,
}

impl Shop {
    /// Opens a shop in which all bookings are paid.
    pub fn open() -> Self {
        let (database, office) = BoxOffice::alone();
        database.execute(&format!("UPDATE events SET payment = 'online', refund_fee_minor = {FEE}"));
        let id = database.ticket_type_id("VIP");
        let held = (0..BOOKINGS).map(|n| office.hold(&format!("booking {n}"), &[(id, SEATS)]));
        let held: Vec<Booking> = held.collect();
        let bookings = held.iter().map(|booking| (booking.id, pay(&office, booking))).collect();
        Self { office, database, bookings, made: Cell::new(0) }
    }

    /// Returns whether anything happened.
    pub fn perform(&self, number: usize, event: Event) -> bool {
        let (booking_id, payment_id) = self.bookings[number];
        self.made.set(self.made.get() + 1);
        let provider_id = format!("made_{}", self.made.get());
        let act = |db: &mut Db| -> QueryResult<bool> {
            let payment = find(db, payment_id)?.expect("a payment");
            let mut all = refunds::of_payment(db, payment_id)?;
            all.reverse();
            let oldest = |is_meant: &dyn Fn(&Refund) -> bool| all.iter().find(|it| is_meant(it)).cloned();
            let waiting = || oldest(&|it| it.state == RefundState::Wanted);
            match event {
                Event::GiveBack { seat, is_buyer } => give_back(db, booking_id, seat, is_buyer),
                Event::RefundAmount { minor } => refund_by_hand(db, &payment, minor),
                Event::Accept { is_done } => {
                    let Some(refund) = waiting() else { return Ok(false) };
                    refunds::accepted(db, &refund, &provider_id, is_done, refund.due_at)?;
                    Ok(true)
                }
                Event::Refuse => {
                    let Some(refund) = waiting() else { return Ok(false) };
                    refunds::failed(db, &refund, "refused")?;
                    Ok(true)
                }
                Event::ComeBack => {
                    let is_accepted = |it: &Refund| {
                        it.source != RefundSource::Dispute
                            && matches!(it.state, RefundState::Pending | RefundState::Done)
                    };
                    let Some(refund) = oldest(&is_accepted) else { return Ok(false) };
                    refund_failed_at_provider(
                        db,
                        &payment,
                        refund.refund_id.as_deref().expect("an id"),
                        "closed",
                    )?;
                    Ok(true)
                }
                Event::Outside { minor } => {
                    outside(db, payment_id, (RefundSource::Outside, RefundState::Done), &provider_id, minor)
                }
                Event::Dispute { minor } => outside(
                    db,
                    payment_id,
                    (RefundSource::Dispute, RefundState::Pending),
                    &provider_id,
                    minor,
                ),
                Event::Decide { is_won } => {
                    let is_open =
                        |it: &Refund| it.source == RefundSource::Dispute && it.state == RefundState::Pending;
                    let Some(dispute) = oldest(&is_open) else { return Ok(false) };
                    let id = dispute.refund_id.as_deref().expect("an id");
                    dispute_decided(db, &payment, id, is_won)?;
                    // A repeated report changes nothing.
                    dispute_decided(db, &payment, id, is_won)?;
                    Ok(true)
                }
            }
        };
        self.office.db.write_blocking(act).expect("it happens")
    }

    /// The amount that was asked back, and the sum of the ledger without the provider's fee.
    pub fn money(&self, number: usize) -> (i64, i64) {
        #[derive(QueryableByName)]
        struct Sums {
            #[diesel(sql_type = BigInt)]
            asked: i64,
            #[diesel(sql_type = BigInt)]
            ledger: i64,
        }
        let payment = self.bookings[number].1;
        let sums: Vec<Sums> = self.database.rows(&format!(
            "SELECT p.refunded_minor AS asked, CAST((SELECT SUM(l.amount_minor) FROM ledger l
                 WHERE l.payment_id = p.id AND l.kind NOT LIKE 'fee%') AS BIGINT) AS ledger
             FROM payments p WHERE p.id = {payment}"
        ));
        (sums[0].asked, sums[0].ledger)
    }

    pub fn violations(&self) -> Vec<String> {
        let found = self.office.db.read_primary_blocking(reconcile).expect("it is read");
        found.violations.iter().map(|it| it.what.to_owned()).collect()
    }
}

/// Pays for a booking. Returns the payment's id.
fn pay(office: &BoxOffice, booking: &Booking) -> i64 {
    let paid = office.db.write_blocking(|db| {
        want(db, booking.id, false, 20)?;
        let now = clock(db)?;
        let due = queue::take(db, false, 1, false, (now, now + TimeDelta::seconds(90)))?.remove(0);
        let id = due.payment.id;
        let (session_id, ends_at) = (format!("cs_{id}"), now + TimeDelta::minutes(35));
        let page = OpenedPage { session_id: session_id.clone(), url: "x".into(), intent_id: None, ends_at };
        assert!(queue::opened(db, &due.payment, &page)?);
        let intent_id = format!("pi_{id}");
        let page = PaidPage {
            session_id,
            session_ends_at: ends_at,
            intent_id,
            method: None,
            fee: Some(Money::new(899, "USD")),
        };
        assert!(matches!(settle(db, id, &page)?, Settlement::Confirmed { .. }));
        // A repeated report does not settle the payment again.
        assert_eq!(settle(db, id, &page)?, Settlement::Done);
        Ok(id)
    });
    paid.expect("it is paid")
}

fn give_back(db: &mut Db, booking_id: i64, seat: i32, is_buyer: bool) -> QueryResult<bool> {
    let booking = find_by_id(db, booking_id)?.expect("a booking");
    if !booking.is_confirmed() {
        return Ok(false);
    }
    let actor = Actor::server();
    let (source, by) = if is_buyer {
        (RefundSource::Buyer, None)
    } else {
        let by = Releaser { actor: &actor, action: Action::BookingCanceled, note: Some("") };
        (RefundSource::Organizer, Some(by))
    };
    let released = release_and_refund(db, &booking, Some(&[seat]), by, source)?;
    Ok(matches!(released, ReleaseOutcome::Released { .. }))
}

fn refund_by_hand(db: &mut Db, payment: &Payment, amount_minor: i64) -> QueryResult<bool> {
    let wanted = WantedAmount {
        payment_id: payment.id,
        amount_minor,
        refunded_before: payment.refunded_minor,
        reason: String::new(),
        actor: "ada".into(),
    };
    // The same form a second time does nothing.
    let first = refund_amount(db, &wanted)? == AmountRefund::Wanted;
    assert_eq!(refund_amount(db, &wanted)?, AmountRefund::Changed);
    Ok(first)
}

fn outside(
    db: &mut Db,
    payment_id: i64,
    (source, state): (RefundSource, RefundState),
    provider_id: &str,
    amount_minor: i64,
) -> QueryResult<bool> {
    let found = OutsideRefund { source, state, provider_id, amount_minor, reason: "" };
    let is_noted = note_outside(db, payment_id, &found)?;
    // A repeated report is recorded only once.
    assert_eq!(note_outside(db, payment_id, &found)?, is_noted);
    Ok(is_noted)
}
