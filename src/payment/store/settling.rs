//! The SQL that settles a payment: the money is there, so the booking is confirmed, or the money goes back.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::fees::{FIRST_LOOK, enter_own, noted};
use super::ledger::{EntryKind, LedgerEntry, enter};
use super::mails::mail_buyer;
use super::queue::booking_status;
use super::refunds::{NewRefund, want_refund};
use super::{UNSETTLED, ask_soon, find};
use crate::booking::BookingStatus;
use crate::booking::release::ReleaseOutcome;
use crate::booking::release::store::{RevivalOutcome, confirm_hold, release, revive};
use crate::booking::store::find_by_id;
use crate::db::{Db, clock};
use crate::events::{EventState, Stock};
use crate::money::Money;
use crate::outbox::MailKind;
use crate::payment::{Payment, PaymentState, RefundSource};
use crate::schema::{bookings, events, payments};

/// What the provider says of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidPage {
    pub session_id: String,
    /// UTC.
    pub session_ends_at: NaiveDateTime,
    pub intent_id: String,
    /// "visa 4242"
    pub method: Option<String>,
    /// What the provider keeps, where it is known, in the currency of its account.
    pub fee: Option<Money>,
}

/// How settling ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The tickets are the buyer's. What is left of the ticket types, if the tickets had to be taken a second
    /// time.
    Confirmed { stock: Vec<Stock> },
    /// The tickets are gone: the money goes back. What is left of ticket types that have got tickets back.
    Refunding { stock: Vec<Stock> },
    /// It was settled before.
    Done,
    /// The hold is over, and its end is not written yet: ask again in a moment.
    Again,
}

/// Settles a payment in one transaction: the booking, the payment, the ledger, and the confirmation in the
/// outbox. This includes a payment that was given up here and was paid all the same: either the buyer gets
/// tickets, or the money goes back.
///
/// # Errors
/// `RollbackTransaction` when another server has settled it, or the concert was canceled, at the same moment;
/// database errors.
pub fn settle(db: &mut Db, payment_id: i64, paid: &PaidPage) -> QueryResult<Settlement> {
    let now = clock(db)?;
    let Some(payment) = find(db, payment_id)?.filter(|it| UNSETTLED.contains(&it.state)) else {
        return Ok(Settlement::Done);
    };
    let (is_confirmed, stock) = match take_tickets(db, &payment)? {
        PaidTickets::Held => return Ok(Settlement::Again),
        PaidTickets::Taken { stock } => (true, stock),
        PaidTickets::Gone { stock } => (false, stock),
    };
    let own = payments::table.find(payment.id).filter(payments::state.eq_any(UNSETTLED));
    let settled = diesel::update(own)
        .set((
            payments::state.eq(PaymentState::Paid),
            payments::paid_at.eq(now),
            payments::ended_at.eq(now),
            payments::session_id.eq(&paid.session_id),
            payments::session_ends_at.eq(paid.session_ends_at),
            payments::intent_id.eq(&paid.intent_id),
            payments::method.eq(&paid.method),
            payments::fee_minor.eq(paid.fee.as_ref().map(|fee| noted(&payment, fee))),
            payments::request.eq(None::<String>),
            payments::due_at.eq(now + FIRST_LOOK),
            payments::attempts.eq(0),
            payments::last_error.eq(None::<String>),
        ))
        .execute(db)?;
    if settled == 0 {
        return Err(diesel::result::Error::RollbackTransaction);
    }
    let entry = LedgerEntry {
        kind: EntryKind::Payment,
        refund_id: None,
        amount_minor: payment.amount_minor,
        provider_id: &paid.intent_id,
    };
    enter(db, &payment, &entry, now)?;
    if let Some(fee) = &paid.fee {
        enter_own(db, &payment, fee, &paid.intent_id, now)?;
    }
    // Another attempt's page is not needed any more: it is closed.
    ask_soon(db, payment.booking_id, now)?;
    if is_confirmed {
        return Ok(Settlement::Confirmed { stock });
    }
    let refund = NewRefund {
        source: RefundSource::System,
        amount_minor: payment.amount_minor,
        seats: "",
        reason: "The tickets were gone when the payment came.",
        actor: "",
    };
    // All of it is there: it was paid just now.
    want_refund(db, &payment, &refund)?;
    let (key, words) = (format!("late payment {}", payment.id), payment.amount().to_string());
    mail_buyer(db, payment.booking_id, MailKind::LatePayment, key, words)?;
    Ok(Settlement::Refunding { stock })
}

/// What became of the tickets of a payment.
enum PaidTickets {
    /// They are the buyer's.
    Taken { stock: Vec<Stock> },
    /// The buyer has none.
    Gone { stock: Vec<Stock> },
    /// The hold is over, and its end is not written yet.
    Held,
}

/// Confirms the booking, if that is still possible. Locks ticket types, holds and bookings, so the payment is
/// locked only after it.
fn take_tickets(db: &mut Db, payment: &Payment) -> QueryResult<PaidTickets> {
    let id = payment.booking_id;
    if is_canceled(db, id)? {
        let Some(booking) = find_by_id(db, id)? else { return Ok(PaidTickets::Gone { stock: Vec::new() }) };
        let stock = match release(db, &booking, None, None)? {
            ReleaseOutcome::Released { stock } => stock,
            _ => Vec::new(),
        };
        return Ok(PaidTickets::Gone { stock });
    }
    if confirm_hold(db, id)? {
        // The concert was canceled since, and the job that ends its bookings has already passed this one.
        // This is rolled back, and the next try sees the cancellation before it confirms anything.
        return if is_canceled(db, id)? {
            Err(diesel::result::Error::RollbackTransaction)
        } else {
            Ok(PaidTickets::Taken { stock: Vec::new() })
        };
    }
    Ok(match booking_status(db, id)? {
        Some(BookingStatus::Held) => PaidTickets::Held,
        Some(BookingStatus::Expired) => match revive(db, id)? {
            RevivalOutcome::Revived { stock } => PaidTickets::Taken { stock },
            _ => PaidTickets::Gone { stock: Vec::new() },
        },
        // Paid twice, or canceled meanwhile.
        Some(BookingStatus::Confirmed | BookingStatus::Canceled) | None => {
            PaidTickets::Gone { stock: Vec::new() }
        }
    })
}

/// Whether the concert of a booking is canceled, or in the archive.
fn is_canceled(db: &mut Db, booking_id: i64) -> QueryResult<bool> {
    let state: Option<EventState> = bookings::table
        .inner_join(events::table)
        .filter(bookings::id.eq(booking_id))
        .select(events::state)
        .first(db)
        .optional()?;
    Ok(state.is_some_and(EventState::is_closed))
}
