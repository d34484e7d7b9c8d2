//! The SQL that finds tickets at the gate by name, address or reference.

use diesel::prelude::*;

use crate::booking::buyer::SearchWords;
use crate::booking::search::store::{
    ComparedBooking, READ_AT_ONCE, find_among_newest, find_by_rarest, find_unindexed, indexed_until,
};
use crate::booking::store::{BookingRow, ids_of_references, place};
use crate::booking::{BookingStatus, PlacedBooking, parse_reference};
use crate::db::Db;
use crate::schema::{bookings, used_tickets};
use crate::tickets::Seat;
use crate::tickets::attendance::{Found, FoundTicket};
use crate::tickets::keyboards::readings;
use crate::tickets::scan::Holder;

use super::ADMITTED;

/// How many bookings are listed.
const BOOKINGS: usize = 10;

/// The tickets of a concert's confirmed bookings that have all the words of a text in their name, address or
/// reference, in the order of the names. Words are found in the search's index; for words that are too common
/// for the index, the newest bookings are compared.
pub fn search(db: &mut Db, event_id: i64, typed: &str) -> QueryResult<Found> {
    let words = SearchWords::new(typed);
    let mut ids = if words.is_empty() { Vec::new() } else { with_words(db, event_id, &words)? };
    if ids.is_empty() {
        // The text may be a reference from a device with another keyboard layout.
        let references: Vec<String> = readings(typed).filter_map(|text| parse_reference(&text)).collect();
        ids = bookings::table
            .filter(bookings::id.eq_any(ids_of_references(db, &references)?))
            .filter(bookings::event_id.eq(event_id))
            .filter(bookings::status.eq(BookingStatus::Confirmed))
            .order((bookings::buyer_name, bookings::id))
            .limit(BOOKINGS as i64 + 1)
            .select(bookings::id)
            .load(db)?;
    }
    let is_cut = ids.len() > BOOKINGS;
    ids.truncate(BOOKINGS);
    let rows = bookings::table
        .filter(bookings::id.eq_any(&ids))
        .order((bookings::buyer_name, bookings::id))
        .select(BookingRow::as_select())
        .load(db)?;
    let mut tickets = Vec::new();
    for placed in place(db, rows)? {
        tickets.extend(tickets_of(db, &placed)?);
    }
    Ok(Found { typed: typed.to_owned(), tickets, is_cut })
}

/// The bookings of a concert that have all of these words.
fn with_words(db: &mut Db, event_id: i64, words: &SearchWords) -> QueryResult<Vec<i64>> {
    let fits = |(_, reference, name, email): &ComparedBooking| words.fit(name, email.as_deref(), reference);
    // Before the index is read: what is indexed meanwhile is found there.
    let indexed_until = indexed_until(db)?;
    if let Some(mut ids) = find_by_rarest(db, words.words())?
        && let Some(fresh) = find_unindexed(db, indexed_until, fits)?
    {
        ids.extend(fresh);
        return among(db, event_id, &ids.into_iter().collect::<Vec<i64>>(), fits);
    }
    find_among_newest(db, event_id, fits, BOOKINGS + 1)
}

/// The bookings among these that belong to the concert, are confirmed, and fit, in the order of the names; up
/// to one more than is shown.
fn among(
    db: &mut Db,
    event_id: i64,
    ids: &[i64],
    fits: impl Fn(&ComparedBooking) -> bool,
) -> QueryResult<Vec<i64>> {
    let mut found: Vec<ComparedBooking> = Vec::new();
    for ids in ids.chunks(READ_AT_ONCE as usize) {
        let rows: Vec<ComparedBooking> = bookings::table
            .filter(bookings::id.eq_any(ids))
            .filter(bookings::event_id.eq(event_id))
            .filter(bookings::status.eq(BookingStatus::Confirmed))
            .select((bookings::id, bookings::reference, bookings::buyer_name, bookings::buyer_email))
            .load(db)?;
        found.extend(rows.into_iter().filter(|row| fits(row)));
    }
    found.sort_by(|one, other| (&one.2, one.0).cmp(&(&other.2, other.0)));
    Ok(found.into_iter().take(BOOKINGS + 1).map(|row| row.0).collect())
}

fn tickets_of(db: &mut Db, placed: &PlacedBooking) -> QueryResult<Vec<FoundTicket>> {
    let used: Vec<(i32, String, chrono::NaiveDateTime)> = used_tickets::table
        .filter(used_tickets::booking_id.eq(placed.booking.id))
        .filter(used_tickets::state.eq(ADMITTED))
        .select((used_tickets::seat, used_tickets::gate, used_tickets::used_at))
        .load(db)?;
    let ticket = |seat: Seat| {
        let holder = Holder::of_seat(placed, seat.number, used.len() as i64)?;
        let admitted = used.iter().find(|(number, ..)| *number == seat.number);
        Some(FoundTicket { holder, admitted: admitted.map(|(_, gate, at)| (gate.clone(), *at)) })
    };
    Ok(Seat::all_of(placed).into_iter().filter_map(ticket).collect())
}
