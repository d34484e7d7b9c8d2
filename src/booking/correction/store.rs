//! The SQL of a correction.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{ADDRESSES_MAX, Correction, CorrectionOutcome, Corrector};
use crate::audit::{self, Action};
use crate::booking::buyer::{Buyer, Contact, normalized_email, unusual_normalized_email};
use crate::booking::store::{BookingRow, PERSON, find_by_reference, find_by_token, with_lines};
use crate::booking::{Booking, BookingStatus, PlacedBooking, new_token, search};
use crate::db::Db;
use crate::events::store::KEPT_TICKETS;
use crate::outbox::{self, MailKind, MailState, NewMail};
use crate::schema::{booking_lines, bookings, mails, ticket_types, used_tickets};

/// The payload of the mail about a new address that the organizer has entered.
const BY_ORGANIZER: &str = "by the organizer";

/// Corrects the buyer of a booking, writes that into the audit log, and queues mails about a new address.
/// Runs inside the caller's write transaction.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn correct(db: &mut Db, correction: &Correction) -> QueryResult<CorrectionOutcome> {
    let (placed, actor, is_buyer) = match &correction.corrector {
        Corrector::Buyer { token, actor } => (find_by_token(db, token)?, actor, true),
        Corrector::Organizer { reference, actor } => (find_by_reference(db, reference)?, actor, false),
    };
    let booking = lock(db, &placed)?;
    let old = booking.email();
    let email = correction.email.as_deref().filter(|email| old.is_some_and(|old| old != *email));
    let has_new_name = correction.name != booking.buyer_name;
    if !booking.is_confirmed() && (is_buyer || !booking.is_canceled()) {
        return Ok(CorrectionOutcome::Ended);
    }
    if is_buyer && is_admitted(db, booking.id)? {
        return Ok(CorrectionOutcome::Admitted);
    }
    if !has_new_name && email.is_none() {
        return Ok(CorrectionOutcome::Unchanged);
    }
    let mut token = booking.token.clone();
    if let Some(email) = email {
        if is_buyer && address_changes(db, booking.id)? >= ADDRESSES_MAX {
            return Ok(CorrectionOutcome::TooOften);
        }
        if let Some(refusal) = over_person_limit(db, &placed, &booking, email)? {
            return Ok(refusal);
        }
        token = new_token();
        move_to(db, &booking, email, &token, is_buyer)?;
    }
    diesel::update(bookings::table.find(booking.id))
        .set(bookings::buyer_name.eq(&correction.name))
        .execute(db)?;
    let (before, now) = ((booking.buyer_name.as_str(), old), (correction.name.as_str(), email.or(old)));
    search::store::rewrite(db, booking.id, before, now)?;
    let what = match (has_new_name, email.is_some()) {
        (true, true) => "name and email",
        (true, false) => "name",
        _ => "email",
    };
    audit::store::record(db, actor, Action::BuyerCorrected, &format!("{} ({what})", booking.reference), 1)?;
    Ok(CorrectionOutcome::Corrected { token, new_email: email.map(str::to_owned) })
}

/// Locks the ticket types that have a limit for each person, as the desks do, then the booking, and reads it
/// again. Until the transaction ends nobody books tickets of these types, and no ticket of the booking is
/// admitted or given back.
fn lock(db: &mut Db, placed: &PlacedBooking) -> QueryResult<Booking> {
    let id = placed.booking.id;
    let limited = placed.lines.iter().filter(|it| it.ticket_type.max_per_person.is_some());
    let limited: Vec<i64> = limited.map(|it| it.ticket_type.id).collect();
    let row: BookingRow = match db {
        Db::Postgres(pg) => {
            ticket_types::table
                .filter(ticket_types::id.eq_any(limited))
                .order(ticket_types::id)
                .select(ticket_types::id)
                .for_no_key_update()
                .load::<i64>(pg)?;
            // Every order needs the ticket types, so this waits only briefly for a session
            // that has locked the booking.
            diesel::sql_query("SET LOCAL lock_timeout = '250ms'").execute(pg)?;
            bookings::table.find(id).select(BookingRow::as_select()).for_no_key_update().get_result(pg)?
        }
        Db::Sqlite(sqlite) => bookings::table.find(id).select(BookingRow::as_select()).get_result(sqlite)?,
    };
    with_lines(db, vec![row])?.pop().ok_or(diesel::result::Error::NotFound)
}

/// Whether a ticket of a booking was admitted.
pub fn is_admitted(db: &mut Db, booking_id: i64) -> QueryResult<bool> {
    let admitted = used_tickets::table
        .filter(used_tickets::booking_id.eq(booking_id))
        .filter(used_tickets::state.eq("admitted"));
    Ok(admitted.count().get_result::<i64>(db)? > 0)
}

/// How often the buyer has changed the address.
fn address_changes(db: &mut Db, booking_id: i64) -> QueryResult<i64> {
    mails::table
        .filter(mails::booking_id.eq(booking_id))
        .filter(mails::kind.eq(MailKind::Correction.as_str()))
        .filter(mails::payload.is_null())
        .count()
        .get_result(db)
}

/// The refusal, if the booking would give the owner of the address more tickets than one person may have. An
/// owner who has no tickets yet is not refused: a booking that exceeds the limit by itself was made before
/// the limit was set, and may keep its tickets.
fn over_person_limit(
    db: &mut Db,
    placed: &PlacedBooking,
    booking: &Booking,
    email: &str,
) -> QueryResult<Option<CorrectionOutcome>> {
    let person = Contact::Email(email.to_owned()).person();
    if booking.is_canceled() || booking.buyer.person() == person {
        return Ok(None);
    }
    for line in &booking.lines {
        let of_line = placed.lines.iter().find(|it| it.ticket_type.id == line.ticket_type_id);
        let Some(limit) = of_line.and_then(|it| it.ticket_type.max_per_person) else { continue };
        let held: Option<i64> = booking_lines::table
            .inner_join(bookings::table)
            .filter(booking_lines::ticket_type_id.eq(line.ticket_type_id))
            .filter(sql::<Text>(PERSON).eq(&person))
            .filter(
                bookings::status.eq(BookingStatus::Held).or(bookings::status.eq(BookingStatus::Confirmed)),
            )
            .select(sql::<diesel::sql_types::Nullable<BigInt>>(KEPT_TICKETS))
            .get_result(db)?;
        let held = held.unwrap_or_default();
        if line.kept() > 0 && held > 0 && held + i64::from(line.kept()) > i64::from(limit) {
            let ticket_type_id = line.ticket_type_id;
            return Ok(Some(CorrectionOutcome::OverPersonLimit { ticket_type_id, limit }));
        }
    }
    Ok(None)
}

/// Gives the booking a new address and a new link, and queues mails about the change to both addresses. So
/// the owner of the old address learns of it, even if a stranger who has the link made the change. Mails that
/// were sent before keep the address that they went to.
fn move_to(db: &mut Db, booking: &Booking, email: &str, token: &str, is_buyer: bool) -> QueryResult<()> {
    let ended = mails::table
        .filter(mails::booking_id.eq(booking.id))
        .filter(mails::recipient.is_null())
        .filter(mails::state.ne(MailState::Queued.as_str()));
    diesel::update(ended).set(mails::recipient.eq(booking.email())).execute(db)?;
    diesel::update(bookings::table.find(booking.id))
        .set((
            bookings::buyer_email.eq(email),
            bookings::buyer_email_normalized.eq(unusual_normalized_email(email)),
            bookings::token.eq(token),
        ))
        .execute(db)?;
    outbox::store::enqueue(
        db,
        &NewMail {
            kind: MailKind::Correction,
            booking_id: Some(booking.id),
            dedupe_key: None,
            recipient: None,
            payload: (!is_buyer).then(|| BY_ORGANIZER.to_owned()),
        },
    )?;
    let old = booking.email().filter(|old| normalized_email(old) != normalized_email(email));
    let Some(old) = old else { return Ok(()) };
    outbox::store::enqueue(
        db,
        &NewMail {
            kind: MailKind::AddressChange,
            booking_id: Some(booking.id),
            dedupe_key: None,
            recipient: Some(old.to_owned()),
            payload: Some(Buyer::with_email(&booking.buyer_name, email).masked_email()),
        },
    )
}
