//! The SQL of mails about money, to the buyer of a booking. A booking that was made by a program may have no address.

use diesel::prelude::*;

use super::hold_times;
use crate::db::{Db, clock};
use crate::outbox::{self, MailKind, NewMail};
use crate::payment::Payment;
use crate::schema::{bookings, events};
use crate::venue_clock::VenueClock;

/// Queues a mail to the buyer, unless there is one with the same `dedupe_key` already.
pub(super) fn mail_buyer(
    db: &mut Db,
    booking_id: i64,
    kind: MailKind,
    dedupe_key: String,
    payload: String,
) -> QueryResult<()> {
    let address: Option<Option<String>> =
        bookings::table.find(booking_id).select(bookings::buyer_email).first(db).optional()?;
    if address.flatten().is_none() {
        return Ok(());
    }
    let (dedupe_key, payload) = (Some(dedupe_key), Some(payload));
    let mail = NewMail { kind, booking_id: Some(booking_id), dedupe_key, recipient: None, payload };
    outbox::store::enqueue_once(db, &mail)
}

/// Queues the mail about a payment that a bank has declined: one for each payment page, while the tickets
/// are held. Nothing wakes the mail sender for it, because the page says the same at once.
pub(super) fn mail_decline(db: &mut Db, payment: &Payment) -> QueryResult<()> {
    let now = clock(db)?;
    let Some(hold) = hold_times(db, payment.booking_id)?.filter(|hold| hold.end() > now) else {
        return Ok(());
    };
    let zone: String = bookings::table
        .inner_join(events::table)
        .filter(bookings::id.eq(payment.booking_id))
        .select(events::time_zone)
        .first(db)?;
    let until = VenueClock::parse(&zone).hour_minute_zone(&hold.end());
    mail_buyer(db, payment.booking_id, MailKind::Declined, format!("declined {}", payment.id), until)
}
