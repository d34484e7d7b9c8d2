//! The history of the demo: bookings over days, cancellations, admissions. Everything is done as buyers,
//! organizers and gates do it, and is then backdated.

use chrono::{NaiveDateTime, TimeDelta};

use super::concerts::PROGRAM;
use super::program::{DemoConcert, DemoState};
use super::{people, store};
use crate::audit::Actor;
use crate::auth::{USERNAME, token};
use crate::booking::cancellation::{Canceler, Cancellation, store as cancellations};
use crate::booking::desk::BATCH_SIZE;
use crate::booking::event_jobs::{EventJobKind, store as jobs};
use crate::booking::store::book_batch;
use crate::booking::{Booking, BookingOutcome, Order, new_token};
use crate::db::Database;
use crate::events::Event;
use crate::events::editing::ChangeRefusal;
use crate::events::editing::store::pictures::PictureChange;
use crate::events::editing::store::{self as editing, acts, ticket_types};
use crate::start_error::StartError;
use crate::tickets::code::Code;
use crate::tickets::scan::{Place, Scan};
use crate::tickets::store::{admit, gates};

const GATES: [&str; 2] = ["Main door", "Courtyard"];
const NOTE: &str = "Your table is needed for the stage. Please book again: you will get a better one.";
const CANCELED: &str =
    "The roof is closed for repairs. We are sorry. Anything you have paid will be refunded.";
const REPLY: &str = "550 5.1.1 No such mailbox";
/// One in this many bookings is canceled by its buyer, and one in this many by the organizer.
const ONE_IN_BY_BUYER: usize = 19;
const ONE_IN_BY_ORGANIZER: usize = 61;

/// Fills a migrated, empty database. Returns the tickets that are still to come to the gate.
///
/// # Errors
/// One line that says what went wrong.
pub(super) fn make(db: &Database, now: NaiveDateTime) -> Result<Vec<Code>, StartError> {
    let actor = Actor { name: USERNAME.into(), client_address: String::new() };
    let mut history = DemoHistory { db, now, actor, people: 0 };
    let mut to_come = Vec::new();
    for concert in &PROGRAM {
        let (event_id, type_ids) = history.put_on_sale(concert)?;
        let bookings = history.sell(concert, &type_ids)?;
        db.write_blocking(store::deliver)?;
        let event = history.show(concert, event_id)?;
        to_come.append(&mut history.let_in(concert, &event, &bookings)?);
        // Of one concert (Midnight Parade) the mail server has refused two confirmations.
        if concert.days_on_sale == 14 {
            let refused = bookings.iter().rev().step_by(50).take(2).map(|it| it.id).collect::<Vec<_>>();
            db.write_blocking(|db| {
                refused.iter().try_for_each(|id| store::refuse_confirmation(db, *id, REPLY))
            })?;
        }
    }
    Ok(to_come)
}

struct DemoHistory<'a> {
    db: &'a Database,
    /// UTC.
    now: NaiveDateTime,
    actor: Actor,
    /// How many have booked.
    people: usize,
}

impl DemoHistory<'_> {
    fn put_on_sale(&self, concert: &DemoConcert) -> Result<(i64, Vec<i64>), StartError> {
        let (facts, actor) = (concert.as_on_sale(self.now), &self.actor);
        let made = self.db.write_blocking(|db| {
            let event = match editing::create(db, &facts, None, actor)? {
                Ok(event) => event,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let mut ids = Vec::new();
            for it in concert.ticket_types {
                match ticket_types::create(db, event.id, &it.facts(), actor)? {
                    Ok(id) => ids.push(id),
                    Err(refusal) => return Ok(Err(refusal)),
                }
            }
            acts::publish(db, event.id, self.now, |_, _| None, actor)?;
            Ok(Ok((event.id, ids)))
        })?;
        made.map_err(|refusal| refused(concert, &refusal))
    }

    /// Sells until as many tickets are left as the program says, and backdates the bookings. Returns those
    /// that were not canceled.
    fn sell(&mut self, concert: &DemoConcert, type_ids: &[i64]) -> Result<Vec<Booking>, StartError> {
        let mut wanted: Vec<(f64, i64, i32)> = Vec::new();
        for (it, id) in concert.ticket_types.iter().zip(type_ids) {
            let quantities = quantities(it.capacity - it.left);
            let count = quantities.len() as f64;
            let share = |number: usize| (number as f64 + 0.5) / count;
            wanted.extend(quantities.iter().enumerate().map(|(number, it)| (share(number), *id, *it)));
        }
        // All types sell at the same time.
        wanted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let until = match concert.is {
            DemoState::Over { .. } => concert.as_shown(self.now).starts_at,
            _ => self.now,
        };
        let opened = self.now - TimeDelta::days(concert.days_on_sale);
        let mut bookings = self.book(wanted.iter().map(|(_, id, quantity)| (*id, *quantity)))?;
        let times: Vec<NaiveDateTime> =
            wanted.iter().map(|(share, ..)| moment(opened, until, *share)).collect();
        self.db.write_blocking(|db| {
            bookings.iter().zip(&times).try_for_each(|(it, at)| store::date_booking(db, it.id, *at))
        })?;
        let mut kept = Vec::new();
        let mut again = Vec::new();
        for (number, (booking, at)) in bookings.drain(..).zip(times).enumerate() {
            let by_buyer = number % ONE_IN_BY_BUYER == ONE_IN_BY_BUYER - 1;
            if !by_buyer && number % ONE_IN_BY_ORGANIZER != ONE_IN_BY_ORGANIZER - 1 {
                kept.push(booking);
                continue;
            }
            let canceled_at = at + (until - at) / 3;
            self.cancel(&booking, by_buyer, canceled_at)?;
            let back = booking.lines.iter().map(|line| (line.ticket_type_id, line.quantity));
            again.extend(back.map(|it| (it, canceled_at + (until - canceled_at) / 4)));
        }
        // Somebody else takes what came back.
        let booked = self.book(again.iter().map(|(it, _)| *it))?;
        self.db.write_blocking(|db| {
            booked.iter().zip(&again).try_for_each(|(it, (_, at))| store::date_booking(db, it.id, *at))
        })?;
        kept.extend(booked);
        Ok(kept)
    }

    fn book(&mut self, wanted: impl Iterator<Item = (i64, i32)>) -> Result<Vec<Booking>, StartError> {
        let orders: Vec<Order> = wanted
            .map(|(ticket_type_id, quantity)| {
                self.people += 1;
                Order::of_one_type(ticket_type_id, quantity, people::buyer(self.people), new_token())
            })
            .collect();
        let mut bookings = Vec::new();
        for orders in orders.chunks(BATCH_SIZE) {
            let orders: Vec<&Order> = orders.iter().collect();
            // `book_batch` has a transaction of its own.
            let batch = self.db.read_primary_blocking(|db| book_batch(db, &orders))?;
            for outcome in batch.outcomes {
                match outcome {
                    BookingOutcome::Booked(booking) => bookings.push(booking),
                    other => return Err(StartError::new(format!("the demo cannot book: {other:?}"))),
                }
            }
        }
        Ok(bookings)
    }

    fn cancel(&self, booking: &Booking, by_buyer: bool, at: NaiveDateTime) -> Result<(), StartError> {
        let canceler = if by_buyer {
            Canceler::Buyer { token: booking.token.clone(), actor: Actor::buyer(String::new()) }
        } else {
            let (reference, actor) = (booking.reference.clone(), self.actor.clone());
            Canceler::Organizer { reference, actor, note: NOTE.into() }
        };
        let cancellation = Cancellation::of_all(canceler);
        self.db.write_blocking(|db| {
            cancellations::cancel(db, &cancellation)?;
            store::date_cancellation(db, booking.id, at)
        })?;
        Ok(())
    }

    /// Gives the concert its dates and the state that it shows.
    fn show(&self, concert: &DemoConcert, id: i64) -> Result<Event, StartError> {
        let (facts, actor) = (concert.as_shown(self.now), &self.actor);
        let shown = self.db.write_blocking(|db| {
            let event = match editing::update(db, id, None, &facts, &PictureChange::Keep, actor)? {
                Ok(event) => event,
                Err(refusal) => return Ok(Err(refusal)),
            };
            match concert.is {
                DemoState::Paused { .. } => drop(acts::pause(db, id, true, actor)?),
                DemoState::Canceled { .. } => {
                    if let Err(refusal) = acts::cancel(db, id, None, actor)? {
                        return Ok(Err(refusal));
                    }
                    jobs::start(db, id, EventJobKind::Cancellation, None, CANCELED, actor)?;
                }
                DemoState::Tonight => {
                    for gate in GATES {
                        let hash = token::hash(&token::random());
                        gates::create(db, &event, gate, &hash, actor, self.now)?;
                    }
                }
                DemoState::OnSale { .. } | DemoState::OpensSoon | DemoState::Over { .. } => {}
            }
            Ok(Ok(event))
        })?;
        shown.map_err(|refusal| refused(concert, &refusal))
    }

    /// Lets people in, where the doors are open or were. Returns the tickets that are still to come.
    fn let_in(
        &self,
        concert: &DemoConcert,
        event: &Event,
        bookings: &[Booking],
    ) -> Result<Vec<Code>, StartError> {
        let doors = event.doors_at.unwrap_or(event.starts_at);
        let (of_ten, until) = match concert.is {
            DemoState::Tonight => (4, self.now),
            DemoState::Over { .. } => (9, event.starts_at + TimeDelta::minutes(20)),
            _ => return Ok(Vec::new()),
        };
        let tickets = bookings.iter().flat_map(|booking| {
            (1..=booking.quantity()).map(|seat| Code { reference: booking.reference.clone(), seat })
        });
        let is_in = |number: usize| (number * 7 + 3) % 10 < of_ten;
        let (inside, to_come): (Vec<_>, Vec<_>) = tickets.enumerate().partition(|(number, _)| is_in(*number));
        let count = inside.len().max(1) as f64;
        self.db.write_blocking(|db| {
            for (position, (number, code)) in inside.into_iter().enumerate() {
                let at = moment(doors, until, position as f64 / count);
                let gate = GATES[number % 3 % 2];
                let scan = scan(code, event, gate, &self.actor, at);
                admit(db, &scan)?;
                if position % 45 == 44 {
                    // Somebody shows a ticket of a friend who is in.
                    let at = at + TimeDelta::minutes(4);
                    admit(db, &Scan { at, decided_at: at, ..scan })?;
                }
            }
            Ok(())
        })?;
        let is_tonight = concert.is == DemoState::Tonight;
        Ok(to_come.into_iter().filter(|_| is_tonight).map(|(_, code)| code).collect())
    }
}

/// A scan of a ticket with a scanner. `at`: UTC.
pub(super) fn scan(code: Code, event: &Event, gate: &str, actor: &Actor, at: NaiveDateTime) -> Scan {
    let place = Place { event: event.clone(), gate: gate.into(), gate_id: None, actor: actor.clone() };
    Scan {
        code,
        place,
        key: None,
        at,
        decided_at: at,
        was_unconfirmed: false,
        by_hand: false,
        any_day: false,
    }
}

/// Splits a number of tickets into bookings.
fn quantities(mut tickets: i32) -> Vec<i32> {
    let mut quantities = Vec::new();
    for usual in [2, 1, 2, 4, 2, 3, 1, 2].into_iter().cycle() {
        if tickets <= 0 {
            break;
        }
        quantities.push(usual.min(tickets));
        tickets -= usual;
    }
    quantities
}

/// The time between the opening of a sale and its end at which that share was sold. Most is sold at the
/// start.
fn moment(opened: NaiveDateTime, until: NaiveDateTime, share: f64) -> NaiveDateTime {
    let seconds = (until - opened).num_seconds() as f64 * share.powi(3);
    opened + TimeDelta::seconds(seconds as i64)
}

fn refused(concert: &DemoConcert, refusal: &ChangeRefusal) -> StartError {
    StartError::new(format!("the demo cannot make {}: {refusal:?}", concert.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ticket_is_booked_and_most_of_them_early() {
        for tickets in [0, 1, 2, 76, 410] {
            assert_eq!(quantities(tickets).iter().sum::<i32>(), tickets);
        }
        let until = NaiveDateTime::default();
        let opened = until - TimeDelta::days(10);
        assert_eq!((moment(opened, until, 0.0), moment(opened, until, 1.0)), (opened, until));
        assert!(moment(opened, until, 0.5) < opened + TimeDelta::days(2));
    }
}
