//! The SQL of finding tickets without a code.

use diesel::prelude::*;

use crate::booking::buyer::SearchWords;
use crate::booking::store::{BookingRow, place};
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
/// reference. Letters are compared without case and accents, which neither database does by itself: so the names of the
/// concert's buyers are read and compared here.
///
/// # Errors
/// What the database said.
pub fn search(db: &mut Db, event_id: i64, typed: &str) -> QueryResult<Found> {
    let words = SearchWords::new(typed);
    let all: Vec<(i64, String, String, Option<String>)> = bookings::table
        .filter(bookings::event_id.eq(event_id))
        .filter(bookings::status.eq(BookingStatus::Confirmed))
        .order((bookings::buyer_name, bookings::id))
        .select((bookings::id, bookings::reference, bookings::buyer_name, bookings::buyer_email))
        .load(db)?;
    let is_found = |(_, reference, name, email): &&(i64, String, String, Option<String>)| {
        !words.is_empty() && words.fit(name, email.as_deref(), reference)
    };
    let mut ids: Vec<i64> = all.iter().filter(is_found).take(BOOKINGS + 1).map(|it| it.0).collect();
    if ids.is_empty() {
        // A scanner or a hand on a device with another keyboard layout.
        let references: Vec<String> = readings(typed).filter_map(|text| parse_reference(&text)).collect();
        let named = all.iter().filter(|(_, reference, ..)| references.contains(reference));
        ids = named.take(BOOKINGS + 1).map(|it| it.0).collect();
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
