//! The SQL of tickets that are given back after they were paid for online: the money goes back in the same transaction.

use diesel::prelude::*;

use super::online::is_in_review;
use super::refunds::{NewRefund, want_refund};
use super::{give_up, lock_hold};
use crate::booking::Booking;
use crate::booking::release::ReleaseOutcome;
use crate::booking::release::store::{Releaser, release};
use crate::db::Db;
use crate::events::Stock;
use crate::events::editing::store::lock;
use crate::payment::{Payment, PaymentState, RefundSource};
use crate::schema::{payments, used_tickets};

/// How giving up held tickets ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenUp {
    /// They are on sale again.
    Released { stock: Vec<Stock> },
    /// The payment page is closed first.
    Closing,
    /// They are not held any more: paid for meanwhile, or over. Or something was paid, and people look into it.
    Kept,
}

/// Gives up the tickets of a held booking, whose buyer may be paying at this moment: the first of the two that
/// locks the hold decides. Runs inside the caller's write transaction.
pub fn give_up_held(db: &mut Db, booking: &Booking, event_id: i64) -> QueryResult<GivenUp> {
    // Ticket types come before holds, and releasing locks them.
    lock(db, event_id)?;
    if lock_hold(db, booking.id)?.is_none() || is_in_review(db, booking.id)? {
        return Ok(GivenUp::Kept);
    }
    if give_up(db, booking.id)? {
        return Ok(GivenUp::Closing);
    }
    Ok(match release(db, booking, None, None)? {
        ReleaseOutcome::Released { stock } => GivenUp::Released { stock },
        _ => GivenUp::Kept,
    })
}

/// Gives tickets of a booking back, and the money that was paid for them online: to a buyer what the terms say, in all
/// other cases all of their price. The caller has locked the concert's ticket types, and runs a transaction.
pub fn release_and_refund(
    db: &mut Db,
    booking: &Booking,
    seats: Option<&[i32]>,
    by: Option<Releaser<'_>>,
    source: RefundSource,
) -> QueryResult<ReleaseOutcome> {
    let before = returned_seats(db, booking.id)?;
    let released = release(db, booking, seats, by)?;
    if !matches!(released, ReleaseOutcome::Released { .. }) {
        return Ok(released);
    }
    // The payment is read only now: it may have come while this waited for the locks on the tickets.
    let Some(payment) = lock_paid(db, booking.id)? else { return Ok(released) };
    let is_returned_now = |seat: &i32| !before.contains(seat) && seats.is_none_or(|it| it.contains(seat));
    let returned: Vec<i32> = (1..=booking.quantity()).filter(is_returned_now).collect();
    let prices = returned.iter().filter_map(|seat| booking.price_of_seat(*seat)).map(|it| it.minor);
    let amount_minor = match source {
        RefundSource::Buyer => payment.refund_of(prices).minor,
        _ => prices.sum::<i64>().min(payment.kept().minor),
    };
    let names: Vec<String> = returned.iter().map(i32::to_string).collect();
    let refund = NewRefund {
        source,
        amount_minor,
        seats: &names.join(" "),
        reason: "",
        actor: by.map_or("", |by| by.actor.name.as_str()),
    };
    want_refund(db, &payment, &refund)?;
    Ok(released)
}

fn returned_seats(db: &mut Db, booking_id: i64) -> QueryResult<Vec<i32>> {
    used_tickets::table
        .filter(used_tickets::booking_id.eq(booking_id))
        .filter(used_tickets::state.eq("returned"))
        .select(used_tickets::seat)
        .load(db)
}

/// The payment that a booking's tickets were paid with, locked until the transaction ends.
fn lock_paid(db: &mut Db, booking_id: i64) -> QueryResult<Option<Payment>> {
    macro_rules! paid {
        () => {
            payments::table
                .filter(payments::booking_id.eq(booking_id))
                .filter(payments::state.eq(PaymentState::Paid))
                .order((payments::amount_minor - payments::refunded_minor).desc())
                .select(Payment::as_select())
        };
    }
    match db {
        Db::Postgres(pg) => paid!().for_update().first(pg).optional(),
        Db::Sqlite(sqlite) => paid!().first(sqlite).optional(),
    }
}
