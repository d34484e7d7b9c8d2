//! The SQL of the mail about a payment that a bank has declined: one for each page to pay on, while the tickets are
//! held.

use diesel::prelude::*;

use super::hold_times;
use crate::db::{Db, clock};
use crate::outbox::{self, MailKind, NewMail};
use crate::payment::Payment;
use crate::schema::{bookings, events};
use crate::venue_clock::VenueClock;

/// Queues it. The mail sender finds it within its own pace: the page says the same at once.
///
/// # Errors
/// What the database said.
pub(super) fn mail(db: &mut Db, payment: &Payment) -> QueryResult<()> {
    let now = clock(db)?;
    let Some(hold) = hold_times(db, payment.booking_id)?.filter(|hold| hold.end() > now) else {
        return Ok(());
    };
    let (address, zone): (Option<String>, String) = bookings::table
        .inner_join(events::table)
        .filter(bookings::id.eq(payment.booking_id))
        .select((bookings::buyer_email, events::time_zone))
        .first(db)?;
    if address.is_none() {
        return Ok(());
    }
    let mail = NewMail {
        kind: MailKind::Declined,
        booking_id: Some(payment.booking_id),
        dedupe_key: Some(format!("declined {}", payment.id)),
        recipient: None,
        payload: Some(VenueClock::parse(&zone).hour_minute_zone(&hold.end())),
    };
    outbox::store::enqueue(db, &mail)
}
