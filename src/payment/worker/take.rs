//! Takes what is due in one transaction: for each question a turn in the pace that all servers share, and for each new
//! page the body of its request.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::QueryResult;
use tokio::time::Instant;

use super::call::{Call, CallKind};
use super::pause::wait_after;
use super::room::CallRoom;
use crate::db::{Db, clock};
use crate::payment::store::clocks::{self, PacedEndpoint};
use crate::payment::store::inbox::{self, WaitingEvent};
use crate::payment::store::queue::{self, DuePayment};
use crate::payment::store::{ask_soon, fees, refunds};
use crate::payment::stripe::event::EventConcern;
use crate::payment::stripe::request::{self, SessionRequest};
use crate::payment::{LEASE, Payment, PaymentState, SESSION_TIME};

/// A turn that is further away than this is left to a server that is free then. This wait and the time of two
/// calls fit into the lease.
const TURN_MAX: TimeDelta = TimeDelta::seconds(25);
/// Events of one transaction: most of them only wake a payment.
const EVENTS_AT_ONCE: i64 = 100;
/// The wait of an event that was taken when there was no room for its question.
const NO_ROOM: TimeDelta = TimeDelta::seconds(2);
/// How often the payment of a refund or a dispute is looked for. It may not be settled yet, or may be another
/// site's. After this many looks, which take some hours, it counts as another site's.
const LOOKS_MAX: i32 = 40;

/// What questions depend on.
#[derive(Debug, Clone)]
pub struct CallSettings {
    /// Whether the key moves real money.
    pub live: bool,
    pub per_second: u32,
    /// The site's address as buyers know it.
    pub public_url: String,
}

/// What was taken.
pub struct Taken {
    /// Each with its turn.
    pub calls: Vec<(Instant, Call)>,
    pub may_be_more: bool,
}

/// Whether anything is due.
pub fn is_anything_due(db: &mut Db, live: bool) -> QueryResult<bool> {
    let now = clock(db)?;
    Ok(queue::is_any_due(db, live, now)?
        || inbox::is_any_due(db, live, now)?
        || refunds::is_any_due(db, live, now)?
        || fees::is_any_due(db, live, now)?)
}

/// Takes as many questions of each kind as there is room for. `only_one`: of all kinds together, to find out whether
/// Stripe answers.
pub fn take(db: &mut Db, room: CallRoom, only_one: bool, settings: &CallSettings) -> QueryResult<Taken> {
    let now = clock(db)?;
    // Turns are counted from here, not from the end of the commit, which takes its time: otherwise calls of
    // two transactions would come at the same moment.
    let read_at = Instant::now();
    let times = (now, now + LEASE);
    let limit = |most: usize, calls: &[Call]| -> i64 {
        let most = if only_one { most.min(1_usize.saturating_sub(calls.len())) } else { most };
        i64::try_from(most).unwrap_or(0)
    };
    // Events first: they wake payments. They lock payments in the order of their ids. What follows skips
    // locked rows, so it waits for no payment.
    let event_room = if only_one { 0 } else { room.events };
    let (mut calls, has_more_events) = take_events(db, event_room, times, settings)?;
    let mut may_be_more = has_more_events;
    let mut note = |taken: usize, limit: i64| may_be_more |= i64::try_from(taken).is_ok_and(|it| it >= limit);
    for (are_open, room) in [(true, room.looks), (false, room.pages)] {
        let limit = limit(room, &calls);
        let due = queue::take(db, are_open, limit, settings.live, times)?;
        note(due.len(), limit);
        for due in due {
            calls.push(question(db, due, now, settings)?);
        }
    }
    let looks = calls.iter().filter(|call| call.kind() == CallKind::Look).count();
    let fee_limit = limit(room.looks.saturating_sub(looks), &calls);
    let unknown = fees::take(db, fee_limit, settings.live, times)?;
    note(unknown.len(), fee_limit);
    calls.extend(unknown.into_iter().map(|payment| Call::Fee(Box::new(payment))));
    let limit = limit(room.refunds, &calls);
    let both = refunds::take(db, limit, settings.live, times)?;
    note(both.len(), limit);
    calls.extend(both.into_iter().map(|both| Call::Refund(Box::new(both))));
    let in_turn = in_turn(db, calls, now, settings)?;
    let turn = |(at, call): (NaiveDateTime, Call)| (read_at + (at - now).to_std().unwrap_or_default(), call);
    Ok(Taken { calls: in_turn.into_iter().map(turn).collect(), may_be_more })
}

/// Takes events. An event about an open page wakes its payment at once. Other events become questions, if
/// Stripe has to be asked; all refund events of one payment are one question. Returns the questions, and
/// whether there may be more events.
fn take_events(
    db: &mut Db,
    room: usize,
    times: (NaiveDateTime, NaiveDateTime),
    settings: &CallSettings,
) -> QueryResult<(Vec<Call>, bool)> {
    let (now, _) = times;
    let taken = inbox::take(db, EVENTS_AT_ONCE, settings.live, times)?;
    let may_be_more = i64::try_from(taken.len()).is_ok_and(|it| it >= EVENTS_AT_ONCE);
    let mut events = Vec::with_capacity(taken.len());
    for event in taken {
        let payment = inbox::payment_of(db, &event)?;
        events.push((payment, event));
    }
    // Sorted, so that two servers lock payments in the same order.
    events.sort_by_key(|(payment, _)| payment.as_ref().map(|it| it.id));
    let mut calls: Vec<Call> = Vec::new();
    for (payment, event) in events {
        match (EventConcern::of(&event.kind), payment) {
            (Some(EventConcern::Page), Some(payment)) => {
                about_page(db, &mut calls, room, (event, payment), now)?;
            }
            (Some(EventConcern::Return), Some(payment)) => {
                about_return(db, &mut calls, room, (event, payment), now)?;
            }
            (Some(EventConcern::Return), None) if event.attempts < LOOKS_MAX => {
                inbox::put_off(db, &event.event_id, now + wait_after(event.attempts))?;
            }
            // The payment is not ours, or a release that follows more kinds of events has kept this one.
            _ => inbox::handled(db, &event.event_id, now)?,
        }
    }
    Ok((calls, may_be_more))
}

fn about_page(
    db: &mut Db,
    calls: &mut Vec<Call>,
    room: usize,
    (event, payment): (WaitingEvent, Payment),
    now: NaiveDateTime,
) -> QueryResult<()> {
    match payment.state {
        PaymentState::Wanted | PaymentState::Open => inbox::wake(db, &event, &payment, now),
        // It was given up here, but may have been paid all the same: Stripe is asked.
        PaymentState::Expired | PaymentState::Failed if event.may_be_paid() => {
            take_ended(db, calls, room, (event, payment), now)
        }
        _ => inbox::handled(db, &event.event_id, now),
    }
}

fn about_return(
    db: &mut Db,
    calls: &mut Vec<Call>,
    room: usize,
    (event, payment): (WaitingEvent, Payment),
    now: NaiveDateTime,
) -> QueryResult<()> {
    match payment.state {
        // The payment is settled first: money that went back was paid before.
        PaymentState::Wanted | PaymentState::Open => {
            ask_soon(db, payment.booking_id, now)?;
            inbox::put_off(db, &event.event_id, now + wait_after(event.attempts))
        }
        PaymentState::Expired | PaymentState::Failed | PaymentState::Review => {
            if payment.session_id.is_none() {
                return inbox::handled(db, &event.event_id, now);
            }
            take_ended(db, calls, room, (event, payment), now)
        }
        PaymentState::Paid if event.is_dispute() => {
            if calls.len() >= room {
                return inbox::put_off(db, &event.event_id, now + NO_ROOM);
            }
            calls.push(Call::Dispute(event, Box::new(payment)));
            Ok(())
        }
        PaymentState::Paid => {
            if inbox::is_known(db, &event, &payment)? {
                return inbox::handled(db, &event.event_id, now);
            }
            for call in &mut *calls {
                if let Call::OutsideRefunds(events, of) = call
                    && of.id == payment.id
                {
                    events.push(event);
                    return Ok(());
                }
            }
            if calls.len() >= room {
                return inbox::put_off(db, &event.event_id, now + NO_ROOM);
            }
            calls.push(Call::OutsideRefunds(vec![event], Box::new(payment)));
            Ok(())
        }
    }
}

fn take_ended(
    db: &mut Db,
    calls: &mut Vec<Call>,
    room: usize,
    (event, payment): (WaitingEvent, Payment),
    now: NaiveDateTime,
) -> QueryResult<()> {
    if calls.len() >= room {
        return inbox::put_off(db, &event.event_id, now + NO_ROOM);
    }
    let due = queue::with_booking(db, payment)?;
    calls.push(Call::Event(event, Box::new(due)));
    Ok(())
}

/// What to ask about a payment.
fn question(
    db: &mut Db,
    mut due: DuePayment,
    now: NaiveDateTime,
    settings: &CallSettings,
) -> QueryResult<Call> {
    let is_in_time = due.hold.is_some_and(|hold| hold.end() > now);
    if due.payment.state == PaymentState::Wanted {
        if !is_in_time {
            // It is not ended here: a hold must be locked before payments are, and this transaction has
            // already locked some payments.
            return Ok(Call::TooLate(Box::new(due.payment)));
        }
        if due.payment.request.is_none() {
            due.payment.request = fixed_request(db, &due, now, settings)?;
        }
        return Ok(Call::Open(Box::new(due)));
    }
    let due = Box::new(due);
    Ok(if is_in_time { Call::Look(due) } else { Call::Close(due) })
}

fn fixed_request(
    db: &mut Db,
    due: &DuePayment,
    now: NaiveDateTime,
    settings: &CallSettings,
) -> QueryResult<Option<String>> {
    let body = request::session(&SessionRequest {
        payment_id: due.payment.id,
        reference: &due.reference,
        event: &due.event_name,
        currency: &due.payment.currency,
        lines: &due.lines,
        email: due.email.as_deref(),
        ends_at: now + SESSION_TIME,
        url: &format!("{}/bookings/{}/payment", settings.public_url, due.token),
    });
    if let Some(body) = &body {
        queue::fix_request(db, due.payment.id, body)?;
    }
    Ok(body)
}

/// Gives each question its turn. A question whose turn is too far away is released until that turn.
fn in_turn(
    db: &mut Db,
    mut calls: Vec<Call>,
    now: NaiveDateTime,
    settings: &CallSettings,
) -> QueryResult<Vec<(NaiveDateTime, Call)>> {
    let unpaced = calls.extract_if(.., |call| call.endpoint().is_none());
    let mut in_turn: Vec<_> = unpaced.map(|call| (now, call)).collect();
    for endpoint in PacedEndpoint::ALL {
        let own: Vec<&Call> = calls.iter().filter(|call| call.endpoint() == Some(endpoint)).collect();
        if own.is_empty() {
            continue;
        }
        let limit = (now, TURN_MAX);
        let (mut turn, granted) = clocks::reserve(db, endpoint, own.len(), settings.per_second, limit)?;
        for (call, number) in own.into_iter().zip(0..) {
            if number < granted {
                in_turn.push((turn, call.clone()));
            } else {
                release(db, call, turn)?;
            }
            turn += clocks::gap(settings.per_second);
        }
    }
    Ok(in_turn)
}

fn release(db: &mut Db, call: &Call, at: NaiveDateTime) -> QueryResult<()> {
    match call {
        Call::Open(due) | Call::Look(due) | Call::Close(due) => queue::release(db, &due.payment, at),
        Call::Fee(payment) => queue::release(db, payment, at),
        Call::Refund(both) => refunds::put_off(db, &both.0, at, both.0.last_error.as_deref()),
        Call::OutsideRefunds(events, _) => {
            events.iter().try_for_each(|it| inbox::put_off(db, &it.event_id, at))
        }
        Call::Dispute(event, _) | Call::Event(event, _) => inbox::put_off(db, &event.event_id, at),
        Call::TooLate(_) => Ok(()),
    }
}
