//! The SQL of finding tickets without a code.

use diesel::prelude::*;

use crate::booking::buyer::fold;
use crate::booking::store::{BookingRow, place};
use crate::booking::{BookingStatus, PlacedBooking};
use crate::db::Db;
use crate::schema::{bookings, used_tickets};
use crate::tickets::Seat;
use crate::tickets::attendance::{Found, FoundTicket};
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
    let words: Vec<String> = fold(typed).split_whitespace().map(str::to_owned).collect();
    let all: Vec<(i64, String, String, Option<String>)> = bookings::table
        .filter(bookings::event_id.eq(event_id))
        .filter(bookings::status.eq(BookingStatus::Confirmed))
        .order((bookings::buyer_name, bookings::id))
        .select((bookings::id, bookings::reference, bookings::buyer_name, bookings::buyer_email))
        .load(db)?;
    let fits = |text: &str| {
        let text = fold(text);
        words.iter().all(|word| text.contains(word.as_str()))
    };
    let is_found = |(_, reference, name, email): &(i64, String, String, Option<String>)| {
        let email = email.as_deref().unwrap_or_default();
        // A reference is also read without its hyphens.
        fits(&format!("{name} {email} {reference} {}", reference.replace('-', "")))
    };
    let mut ids: Vec<i64> = all.iter().filter(|it| is_found(it)).take(BOOKINGS + 1).map(|it| it.0).collect();
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
