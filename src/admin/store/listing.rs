//! The SQL of the list of bookings.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::admin::listing::{BookingFilter, Candidate};
use crate::admin::{ConfirmationStatus, ListedBooking};
use crate::booking::buyer::{normalized_email, shown_email};
use crate::booking::store::{BookingRow, PERSON, place};
use crate::booking::{BookingStatus, PlacedBooking};
use crate::db::Db;
use crate::events::store::clock;
use crate::outbox::{MailKind, MailState};
use crate::schema::{bookings, mails};

/// The bookings of a concert and a status before an id, the newest first, at most `limit`. Of what was typed into the
/// search only a whole address counts here: neither database compares without accents. Holds appear when they are
/// confirmed.
///
/// # Errors
/// What the database said.
pub fn candidates(
    db: &mut Db,
    filter: &BookingFilter,
    before: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<Candidate>> {
    // Ids grow with time.
    let mut newest = bookings::table
        .filter(bookings::id.lt(before.unwrap_or(i64::MAX)))
        .order(bookings::id.desc())
        .limit(limit)
        .select((bookings::id, bookings::reference, bookings::buyer_name, bookings::buyer_email))
        .into_boxed();
    newest = match filter.status {
        Some(status) => newest.filter(bookings::status.eq(status)),
        None => newest.filter(bookings::status.eq_any([BookingStatus::Confirmed, BookingStatus::Canceled])),
    };
    if let Some(event_id) = filter.event_id {
        newest = newest.filter(bookings::event_id.eq(event_id));
    }
    if let Some(email) = &filter.email {
        newest = newest.filter(sql::<Text>(PERSON).eq(normalized_email(email)));
    }
    let rows: Vec<(i64, String, String, Option<String>)> = newest.load(db)?;
    let candidate = |(id, reference, buyer_name, buyer_email): (i64, String, String, Option<String>)| {
        Candidate { id, reference, buyer_name, buyer_email: buyer_email.as_deref().map(shown_email) }
    };
    Ok(rows.into_iter().map(candidate).collect())
}

/// The newest bookings.
///
/// # Errors
/// What the database said.
pub fn latest(db: &mut Db, limit: i64) -> QueryResult<Vec<ListedBooking>> {
    let newest = candidates(db, &BookingFilter::default(), None, limit)?;
    listed(db, newest.iter().map(|it| it.id).collect())
}

/// Bookings with the states of their confirmations, the newest first.
///
/// # Errors
/// What the database said.
pub fn listed(db: &mut Db, ids: Vec<i64>) -> QueryResult<Vec<ListedBooking>> {
    let of_booking = mails::booking_id.eq(bookings::id.nullable());
    let confirmations = mails::table.on(of_booking.and(mails::kind.eq(MailKind::Confirmation.as_str())));
    let rows: Vec<(BookingRow, Option<String>, Option<String>)> = bookings::table
        .left_join(confirmations)
        .filter(bookings::id.eq_any(ids))
        .order(bookings::id.desc())
        .select((BookingRow::as_select(), mails::state.nullable(), mails::last_error.nullable()))
        .load(db)?;
    let clock = clock(db)?;
    let mut confirmations = HashMap::new();
    let mut found = Vec::new();
    for (row, state, last_error) in rows {
        confirmations.insert(row.id, (state, last_error));
        found.push(row);
    }
    let line = |placed: PlacedBooking| {
        let (state, last_error) = confirmations.remove(&placed.booking.id).unwrap_or_default();
        // A confirmation has no row in `mails` until the sender lists its batch.
        let state = state.map_or(Some(MailState::Queued), |state| MailState::parse(&state));
        let mail = placed.booking.has_address().then_some(ConfirmationStatus { state, last_error });
        ListedBooking {
            tickets: placed.summary(),
            total: placed.due(),
            buyer_email: placed.booking.buyer.shown_email(),
            reference: placed.booking.reference,
            buyer_name: placed.booking.buyer_name,
            status: placed.booking.status,
            mail,
            created_at: placed.booking.created_at,
            clock,
            event_name: placed.event.name,
        }
    };
    Ok(place(db, found)?.into_iter().map(line).collect())
}
