//! The SQL of the list of bookings.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::admin::listing::{BookingFilter, Candidate};
use crate::admin::{ConfirmationStatus, ListedBooking};
use crate::booking::buyer::shown_email;
use crate::booking::search::store::{
    ComparedBooking, READ_AT_ONCE, find_by_email, find_by_rarest, find_unindexed, indexed_until,
};
use crate::booking::store::{BookingRow, place};
use crate::booking::{BookingStatus, PlacedBooking};
use crate::db::Db;
use crate::events::store::{BOOKING_IS_NOT_REHEARSAL, IS_NOT_REHEARSAL, clock};
use crate::events::{Event, EventState};
use crate::outbox::{MailKind, MailState};
use crate::schema::{booking_lines, bookings, events, mails};

/// Concerts in the choice of a list: a select of hundreds helps nobody, and makes the page long.
const CONCERTS_AHEAD: i64 = 40;
const CONCERTS_PAST: i64 = 20;

/// The bookings before an id that fit the filter, the newest first, at most `limit`. The typed search is not
/// applied.
pub fn candidates(
    db: &mut Db,
    filter: &BookingFilter,
    before: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<Candidate>> {
    // Ids grow with time.
    let before = before.unwrap_or(i64::MAX);
    if let Some(ticket_type_id) = filter.ticket_type_id {
        // Lines first, in the order of their index: a small ticket type of a large concert is found at once.
        let ids: Vec<i64> = booking_lines::table
            .inner_join(bookings::table)
            .filter(booking_lines::ticket_type_id.eq(ticket_type_id))
            .filter(booking_lines::booking_id.lt(before))
            .filter(sql::<Bool>(has_status(filter.status)))
            .order(booking_lines::booking_id.desc())
            .limit(limit)
            .select(booking_lines::booking_id)
            .load(db)?;
        return among(db, &BookingFilter::default(), &ids);
    }
    let mut newest = bookings::table
        .filter(bookings::id.lt(before))
        .filter(sql::<Bool>(has_status(filter.status)))
        .filter(sql::<Bool>(BOOKING_IS_NOT_REHEARSAL))
        .order(bookings::id.desc())
        .limit(limit)
        .select((bookings::id, bookings::reference, bookings::buyer_name, bookings::buyer_email))
        .into_boxed();
    if let Some(event_id) = filter.event_id {
        newest = newest.filter(bookings::event_id.eq(event_id));
    }
    Ok(newest.load(db)?.into_iter().map(candidate).collect())
}

/// Those among these bookings that fit the filter, the newest first. The typed search is not applied.
fn among(db: &mut Db, filter: &BookingFilter, ids: &[i64]) -> QueryResult<Vec<Candidate>> {
    let mut found = Vec::new();
    for ids in ids.chunks(READ_AT_ONCE as usize) {
        let mut rows = bookings::table
            .filter(bookings::id.eq_any(ids))
            .filter(sql::<Bool>(has_status(filter.status)))
            .filter(sql::<Bool>(BOOKING_IS_NOT_REHEARSAL))
            .select((bookings::id, bookings::reference, bookings::buyer_name, bookings::buyer_email))
            .into_boxed();
        if let Some(event_id) = filter.event_id {
            rows = rows.filter(bookings::event_id.eq(event_id));
        }
        if let Some(ticket_type_id) = filter.ticket_type_id {
            let of_type = booking_lines::table
                .filter(booking_lines::booking_id.eq_any(ids))
                .filter(booking_lines::ticket_type_id.eq(ticket_type_id));
            rows = rows.filter(bookings::id.eq_any(of_type.select(booking_lines::booking_id)));
        }
        found.extend(rows.load(db)?.into_iter().map(candidate));
    }
    found.sort_by_key(|it: &Candidate| Reverse(it.id));
    Ok(found)
}

/// The condition in the words of the partial indexes, which a bound value would not match. Holds appear when
/// they are confirmed.
pub(super) fn has_status(status: Option<BookingStatus>) -> &'static str {
    match status {
        Some(BookingStatus::Canceled) => "bookings.status = 'canceled'",
        Some(_) => "bookings.status = 'confirmed'",
        None => "bookings.status IN ('confirmed', 'canceled')",
    }
}

fn candidate((id, reference, buyer_name, buyer_email): ComparedBooking) -> Candidate {
    Candidate { id, reference, buyer_name, buyer_email: buyer_email.as_deref().map(shown_email) }
}

/// The bookings before an id that fit the filter and what was typed, the newest first, at most `limit`.
/// `None`: the search is so common that it is faster to compare the newest bookings.
pub fn search(
    db: &mut Db,
    filter: &BookingFilter,
    before: Option<i64>,
    limit: usize,
) -> QueryResult<Option<Vec<i64>>> {
    // Before the index is read: what is indexed meanwhile is found there.
    let indexed_until = indexed_until(db)?;
    let by_email = match &filter.email {
        Some(email) => find_by_email(db, email)?,
        None => None,
    };
    let by_words = find_by_rarest(db, filter.words.words())?;
    let sets = [by_email, by_words].into_iter().flatten();
    let Some(mut ids) = sets.min_by_key(HashSet::len) else { return Ok(None) };
    // An address needs no index of words.
    if filter.email.is_none() {
        let fresh = find_unindexed(db, indexed_until, |row| filter.fits(&candidate(row.clone())))?;
        let Some(fresh) = fresh else { return Ok(None) };
        ids.extend(fresh);
    }
    let mut ids: Vec<i64> = ids.into_iter().filter(|id| before.is_none_or(|before| *id < before)).collect();
    ids.sort_unstable_by_key(|id| Reverse(*id));
    let fitting = among(db, filter, &ids)?.into_iter().filter(|it| filter.fits(it)).map(|it| it.id);
    Ok(Some(fitting.take(limit).collect()))
}

/// The concerts that a list offers to choose from: the next ones, then the latest past ones.
pub fn concerts_near(db: &mut Db, now: NaiveDateTime) -> QueryResult<Vec<Event>> {
    let with_bookings = || {
        let published = events::table.filter(events::state.ne(EventState::Draft));
        published.filter(sql::<Bool>(IS_NOT_REHEARSAL)).into_boxed()
    };
    let mut near: Vec<Event> = with_bookings()
        .filter(events::ends_at.gt(now))
        .order((events::starts_at, events::id))
        .limit(CONCERTS_AHEAD)
        .select(Event::as_select())
        .load(db)?;
    near.extend(
        with_bookings()
            .filter(events::ends_at.le(now))
            .order((events::starts_at.desc(), events::id))
            .limit(CONCERTS_PAST)
            .select(Event::as_select())
            .load(db)?,
    );
    Ok(near)
}

/// The newest bookings.
pub fn latest(db: &mut Db, limit: i64) -> QueryResult<Vec<ListedBooking>> {
    let newest = candidates(db, &BookingFilter::default(), None, limit)?;
    listed(db, newest.iter().map(|it| it.id).collect())
}

/// Bookings with the states of their confirmations, the newest first.
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
            canceled_tickets: placed.lines.iter().map(|it| it.line.returned).sum(),
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
