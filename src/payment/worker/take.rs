//! Takes what is due in one transaction: for each question a turn in the pace that all servers share, and for each new
//! page the body of its request.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::QueryResult;

use super::call::Call;
use crate::db::{Db, clock};
use crate::payment::store::clocks::{self, PacedEndpoint};
use crate::payment::store::queue::{self, DuePayment};
use crate::payment::store::{inbox, refunds};
use crate::payment::stripe::event::EventConcern;
use crate::payment::stripe::request::{self, SessionRequest};
use crate::payment::{PaymentState, SESSION_TIME};

/// How long a server has for a question, from the moment when it takes it.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// A turn that is further away is left to a server that is free then. With a call's time it is within the lease.
const TURN_MAX: TimeDelta = TimeDelta::seconds(25);
/// Events of one transaction: most of them only wake a payment.
const EVENTS_AT_ONCE: i64 = 100;

/// What questions depend on.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Whether the key moves real money.
    pub live: bool,
    pub per_second: u32,
    /// The site's address as buyers know it.
    pub public_url: String,
}

/// What was taken.
pub struct Taken {
    /// Each with how long it waits for its turn.
    pub calls: Vec<(Duration, Call)>,
    pub may_be_more: bool,
}

/// Whether anything is due.
pub fn is_anything_due(db: &mut Db, live: bool) -> QueryResult<bool> {
    let now = clock(db)?;
    Ok(queue::is_any_due(db, live, now)?
        || inbox::is_any_due(db, now)?
        || refunds::is_any_due(db, live, now)?)
}

/// Takes at most so many questions.
pub fn take(db: &mut Db, room: usize, terms: &Terms) -> QueryResult<Taken> {
    let now = clock(db)?;
    let lease = now + LEASE;
    let mut calls = take_events(db, now, lease, terms)?;
    let limit = |calls: &[Call]| i64::try_from(room.saturating_sub(calls.len())).unwrap_or(0);
    for due in queue::take(db, limit(&calls), terms.live, now, lease)? {
        // Its time ended before there was a page: nobody needs one.
        let is_wanted = due.payment.state == PaymentState::Wanted;
        if is_wanted && due.hold.is_none_or(|hold| hold.end() <= now) {
            queue::expired(db, &due.payment)?;
            continue;
        }
        calls.push(question(db, due, now, terms)?);
    }
    let both = refunds::take(db, limit(&calls), terms.live, now, lease)?;
    calls.extend(both.into_iter().map(|both| Call::Refund(Box::new(both))));
    let may_be_more = calls.len() >= room;
    Ok(Taken { calls: in_turn(db, calls, now, terms)?, may_be_more })
}

/// Events about pages wake their payments at once; the others become questions.
fn take_events(
    db: &mut Db,
    now: NaiveDateTime,
    lease: NaiveDateTime,
    terms: &Terms,
) -> QueryResult<Vec<Call>> {
    let mut calls = Vec::new();
    for event in inbox::take(db, EVENTS_AT_ONCE, now, lease)? {
        if event.live != terms.live {
            log::warn!("an event of the other mode was left alone: {}", event.event_id);
            inbox::handled(db, &event.event_id)?;
            continue;
        }
        let payment = inbox::payment_of(db, &event)?;
        match (EventConcern::of(&event.kind), payment) {
            (Some(EventConcern::Page), Some(payment)) => inbox::wake(db, &event, &payment, now)?,
            (Some(EventConcern::Return), Some(payment)) => calls.push(Call::Event(event, Box::new(payment))),
            // A payment that is none of ours, or of a release that follows more.
            _ => inbox::handled(db, &event.event_id)?,
        }
    }
    Ok(calls)
}

/// What to ask about a payment.
fn question(db: &mut Db, mut due: DuePayment, now: NaiveDateTime, terms: &Terms) -> QueryResult<Call> {
    if due.payment.state == PaymentState::Wanted {
        if due.payment.request.is_none() {
            due.payment.request = fixed_request(db, &due, now, terms)?;
        }
        return Ok(Call::Open(Box::new(due)));
    }
    let is_in_time = due.hold.is_some_and(|hold| hold.end() > now);
    let due = Box::new(due);
    Ok(if is_in_time { Call::Look(due) } else { Call::Close(due) })
}

fn fixed_request(
    db: &mut Db,
    due: &DuePayment,
    now: NaiveDateTime,
    terms: &Terms,
) -> QueryResult<Option<String>> {
    let body = request::session(&SessionRequest {
        payment_id: due.payment.id,
        reference: &due.reference,
        event: &due.event_name,
        currency: &due.payment.currency,
        lines: &due.lines,
        email: due.email.as_deref(),
        ends_at: now + SESSION_TIME,
        url: &format!("{}/bookings/{}/payment", terms.public_url, due.token),
    });
    if let Some(body) = &body {
        queue::fix_request(db, due.payment.id, body)?;
    }
    Ok(body)
}

/// Gives each question its turn. A turn that is too far away is given back.
fn in_turn(
    db: &mut Db,
    calls: Vec<Call>,
    now: NaiveDateTime,
    terms: &Terms,
) -> QueryResult<Vec<(Duration, Call)>> {
    let mut in_turn = Vec::with_capacity(calls.len());
    for endpoint in PacedEndpoint::ALL {
        let own: Vec<&Call> = calls.iter().filter(|call| endpoint_of(call) == endpoint).collect();
        if own.is_empty() {
            continue;
        }
        let mut turn = clocks::reserve(db, endpoint, own.len(), terms.per_second, now)?;
        for call in own {
            if turn - now > TURN_MAX {
                give_back(db, call, turn)?;
            } else {
                in_turn.push(((turn - now).to_std().unwrap_or_default(), call.clone()));
            }
            turn += clocks::gap(terms.per_second);
        }
    }
    Ok(in_turn)
}

fn endpoint_of(call: &Call) -> PacedEndpoint {
    match call {
        Call::Open(_) => PacedEndpoint::Create,
        Call::Look(_) => PacedEndpoint::Read,
        Call::Close(_) => PacedEndpoint::Expire,
        Call::Refund(_) => PacedEndpoint::Refund,
        Call::Event(..) => PacedEndpoint::List,
    }
}

fn give_back(db: &mut Db, call: &Call, at: NaiveDateTime) -> QueryResult<()> {
    match call {
        Call::Open(due) | Call::Look(due) | Call::Close(due) => queue::give_back(db, &due.payment, at),
        Call::Refund(both) => refunds::put_off(db, &both.0, at, None),
        // It is due again when its lease ends.
        Call::Event(..) => Ok(()),
    }
}
