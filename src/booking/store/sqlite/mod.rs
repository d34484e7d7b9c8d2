//! A batch on SQLite: one transaction of prepared statements, so that the disk is waited for once.
//!
//! Rows are read with `get_result`, never with `first`: that binds a LIMIT, which makes SQLite compile the
//! statement again each time.
//!
//! Finding a booking again does not belong here: one query does it on both databases, in `booking::store`.

mod rows;

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{BigInt, Integer, Text};

use self::rows::{NewBooking, NewConfirmations, NewLine, timestamp_text};
use super::super::buyer::unusual_normalized_email;
use super::super::reference_key::ReferenceKey;
use super::super::{
    Booking, BookingLine, BookingOutcome, BookingStatus, NotOnSale, Order, OrderLine, new_reference,
    new_token,
};
use super::{Claimed, PERSON};
use crate::events::sale::SaleState;
use crate::events::{Event, Stock, TicketType};
use crate::schema::{booking_lines, bookings, events, holds, secrets, ticket_types};

diesel::define_sql_function! {
    /// SQLite's `max` of two values.
    #[sql_name = "max"]
    fn greater(one: BigInt, other: BigInt) -> BigInt;
}

/// A ticket type that the batch sells, with its concert, and how many tickets the batch leaves of it.
struct BatchTicketType {
    ticket_type: TicketType,
    event: Event,
    left: i32,
}

/// A batch that is being booked: what the next order may still take. First come, first served: when an order
/// does not fit, a smaller one after it may.
struct SqliteBatch<'a> {
    sqlite: &'a mut SqliteConnection,
    now: NaiveDateTime,
    now_text: String,
    next_id: i64,
    reference_key: Option<ReferenceKey>,
    ticket_types: BTreeMap<i64, BatchTicketType>,
    /// How many tickets people hold, by ticket type and person; only of types with a limit for each person.
    held: HashMap<(i64, String), i32>,
    to_confirm: Vec<i64>,
}

/// Runs inside the caller's transaction, which holds the write lock: what is read here stays true.
pub(super) fn book_batch(
    sqlite: &mut SqliteConnection,
    orders: &[&Order],
) -> QueryResult<(Vec<Claimed>, Vec<Stock>)> {
    let next_id = last_booking_id(sqlite)? + 1;
    let reference_key = reference_key(sqlite)?;
    let now = Utc::now().naive_utc();
    let mut batch = SqliteBatch {
        sqlite,
        now,
        now_text: timestamp_text(now),
        next_id,
        reference_key,
        ticket_types: BTreeMap::new(),
        held: HashMap::new(),
        to_confirm: Vec::new(),
    };
    for line in orders.iter().flat_map(|order| order.lines()) {
        batch.fetch(line.ticket_type_id)?;
    }
    let claimed = orders.iter().map(|order| batch.book(order)).collect::<QueryResult<Vec<_>>>()?;
    let stock = batch.take()?;
    batch.insert_confirmations()?;
    // What is left is known only now, for the orders that came too late.
    let claimed = claimed.into_iter().zip(orders).map(|(claimed, order)| match claimed {
        Some(BookingOutcome::NotEnough { .. }) => {
            let left = order
                .lines()
                .iter()
                .map(|line| batch.ticket_types.get(&line.ticket_type_id).map_or(0, |it| it.left));
            Some(BookingOutcome::NotEnough { left: left.collect() })
        }
        other => other,
    });
    Ok((claimed.collect(), stock))
}

impl SqliteBatch<'_> {
    fn fetch(&mut self, id: i64) -> QueryResult<()> {
        if self.ticket_types.contains_key(&id) {
            return Ok(());
        }
        let found: Option<(TicketType, Event)> = ticket_types::table
            .inner_join(events::table)
            .filter(ticket_types::id.eq(id))
            .select((TicketType::as_select(), Event::as_select()))
            .get_result(self.sqlite)
            .optional()?;
        if let Some((ticket_type, event)) = found {
            let left = ticket_type.available;
            self.ticket_types.insert(id, BatchTicketType { ticket_type, event, left });
        }
        Ok(())
    }

    /// Inserts the booking if all of it fits. Keys come before anything that can refuse: a buyer who sends an order
    /// again gets its booking.
    fn book(&mut self, order: &Order) -> QueryResult<Claimed> {
        if let Some(refusal) = self.refusal(order)? {
            let is_known = is_key_known(self.sqlite, &order.request_key)?;
            return Ok((!is_known).then_some(refusal));
        }
        let Some(booking) = self.insert(order)? else { return Ok(None) };
        for line in order.lines() {
            if let Some(found) = self.ticket_types.get_mut(&line.ticket_type_id) {
                found.left -= line.quantity;
            }
            // Empty where no ticket type has a limit.
            if !self.held.is_empty()
                && let Some(held) = self.held.get_mut(&(line.ticket_type_id, order.buyer.contact.person()))
            {
                *held += line.quantity;
            }
        }
        Ok(Some(BookingOutcome::Booked(booking)))
    }

    /// Why an order does not fit; `None` when it does.
    fn refusal(&mut self, order: &Order) -> QueryResult<Option<BookingOutcome>> {
        let first = order.lines().first().and_then(|line| self.ticket_types.get(&line.ticket_type_id));
        let Some(event_id) = first.map(|found| found.event.id) else {
            return Ok(Some(BookingOutcome::UnknownTicketType));
        };
        for &OrderLine { ticket_type_id, quantity } in order.lines() {
            let found = self.ticket_types.get(&ticket_type_id).filter(|found| found.event.id == event_id);
            let Some(found) = found else { return Ok(Some(BookingOutcome::UnknownTicketType)) };
            let state = found.event.sale_state(&found.ticket_type, self.now);
            if let Some(why) = NotOnSale::of(state) {
                return Ok(Some(BookingOutcome::NotOnSale { ticket_type_id, why }));
            }
            if state == SaleState::Hidden {
                return Ok(Some(BookingOutcome::UnknownTicketType));
            }
            if found.left < quantity {
                return Ok(Some(BookingOutcome::NotEnough { left: Vec::new() }));
            }
            if let Some(limit) = found.ticket_type.max_per_person {
                let held = self.held_by(ticket_type_id, order.buyer.contact.person())?;
                if held + quantity > limit {
                    return Ok(Some(BookingOutcome::OverPersonLimit { ticket_type_id, limit, held }));
                }
            }
        }
        let price = |line: &OrderLine| {
            self.ticket_types.get(&line.ticket_type_id).map(|it| it.ticket_type.price_minor)
        };
        let cost = |line: &OrderLine| price(line).unwrap_or_default().saturating_mul(line.quantity.into());
        let total_minor = order.lines().iter().map(cost).sum();
        let is_other = order.expected_total.is_some_and(|expected| expected != total_minor);
        Ok(is_other.then_some(BookingOutcome::OtherTotal { total_minor }))
    }

    /// How many tickets of a ticket type a person holds, with what this batch has booked.
    fn held_by(&mut self, ticket_type_id: i64, person: String) -> QueryResult<i32> {
        let key = (ticket_type_id, person);
        if let Some(held) = self.held.get(&key) {
            return Ok(*held);
        }
        let held: i32 = bookings::table
            .inner_join(booking_lines::table)
            .filter(sql::<Text>(PERSON).eq(&key.1))
            .filter(booking_lines::ticket_type_id.eq(ticket_type_id))
            .filter(
                bookings::status.eq(BookingStatus::Held).or(bookings::status.eq(BookingStatus::Confirmed)),
            )
            .select(sql::<Integer>(
                "CAST(coalesce(sum(booking_lines.quantity - booking_lines.returned), 0) AS INTEGER)",
            ))
            .get_result(self.sqlite)?;
        self.held.insert(key, held);
        Ok(held)
    }

    /// The order's booking; `None` when its key has booked before.
    fn insert(&mut self, order: &Order) -> QueryResult<Option<Booking>> {
        let id = self.next_id;
        let line = |line: &OrderLine| {
            let found = self.ticket_types.get(&line.ticket_type_id)?;
            let OrderLine { ticket_type_id, quantity } = *line;
            let unit_price_minor = found.ticket_type.price_minor;
            Some(BookingLine { booking_id: id, ticket_type_id, quantity, unit_price_minor, returned: 0 })
        };
        let lines: Vec<BookingLine> = order.lines().iter().filter_map(line).collect();
        let first = lines.first().and_then(|line| self.ticket_types.get(&line.ticket_type_id));
        let Some(event) = first.map(|found| &found.event) else { return Ok(None) };
        let place = (id, event.id, event.currency.clone());
        let reference = self.reference_key.map_or_else(new_reference, |key| key.reference(id));
        let booking = order.to_booking(place, lines, self.now, (reference, new_token()));
        let contact = &order.buyer.contact;
        let row = NewBooking {
            booking: &booking,
            email: contact.email(),
            normalized_email: contact.email().and_then(unusual_normalized_email),
            external_id: contact.external_id(),
            request_key: &order.request_key,
            order_hash: order.hash(),
            created_at: &self.now_text,
            confirmed_at: booking.is_confirmed().then_some(&self.now_text),
        };
        if row.execute(self.sqlite)? == 0 {
            return Ok(None);
        }
        self.next_id += 1;
        for line in &booking.lines {
            NewLine(line).execute(self.sqlite)?;
        }
        if let Some(seconds) = order.hold_seconds {
            let held_until = self.now + TimeDelta::seconds(seconds.into());
            diesel::insert_into(holds::table)
                .values((holds::booking_id.eq(id), holds::held_until.eq(held_until)))
                .execute(self.sqlite)?;
        } else if booking.has_address() {
            self.to_confirm.push(id);
        }
        Ok(Some(booking))
    }

    /// Takes the tickets of the whole batch: n of a ticket type, but only if n are left. Otherwise everything
    /// that the transaction has inserted is rolled back.
    fn take(&mut self) -> QueryResult<Vec<Stock>> {
        let mut stock = Vec::new();
        for (&id, found) in &self.ticket_types {
            let (mut available, mut version) = (found.ticket_type.available, found.ticket_type.version);
            let taken = available - found.left;
            if taken > 0 {
                let still_enough = ticket_types::table.find(id).filter(ticket_types::available.ge(taken));
                let next_version = greater(ticket_types::version + 1, self.now.and_utc().timestamp_millis());
                let claimed: Option<(i32, i64)> = diesel::update(still_enough)
                    .set((
                        ticket_types::available.eq(ticket_types::available - taken),
                        ticket_types::version.eq(next_version),
                    ))
                    .returning((ticket_types::available, ticket_types::version))
                    .get_result(self.sqlite)
                    .optional()?;
                (available, version) = claimed.ok_or(DieselError::RollbackTransaction)?;
            }
            stock.push(Stock { ticket_type_id: id, available, version });
        }
        Ok(stock)
    }

    /// Puts the confirmations of the batch's bookings into the outbox, all at once.
    fn insert_confirmations(&mut self) -> QueryResult<()> {
        if self.to_confirm.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = self.to_confirm.iter().map(i64::to_string).collect();
        let booking_ids = format!("[{}]", ids.join(","));
        let row = NewConfirmations { booking_ids: &booking_ids, queued_at: &self.now_text };
        row.execute(self.sqlite)?;
        Ok(())
    }
}

/// AUTOINCREMENT never gives an id twice, so it keeps the last one in a table of its own.
fn last_booking_id(sqlite: &mut SqliteConnection) -> QueryResult<i64> {
    diesel::select(sql::<BigInt>("coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'bookings'), 0)"))
        .get_result(sqlite)
}

/// See [`super::reference_key`].
pub(super) fn reference_key(sqlite: &mut SqliteConnection) -> QueryResult<Option<ReferenceKey>> {
    let stored: Option<String> = secrets::table
        .filter(secrets::name.eq("booking references"))
        .select(secrets::value)
        .get_result(sqlite)
        .optional()?;
    let read = |text: String| {
        // Without it, no reference would lead to its booking.
        ReferenceKey::parse(&text).ok_or_else(|| {
            DieselError::DeserializationError("the key of the references cannot be read".into())
        })
    };
    stored.map(read).transpose()
}

fn is_key_known(sqlite: &mut SqliteConnection, key: &str) -> QueryResult<bool> {
    let known: Option<i64> = bookings::table
        .filter(bookings::request_key.eq(key))
        .select(bookings::id)
        .get_result(sqlite)
        .optional()?;
    Ok(known.is_some())
}
