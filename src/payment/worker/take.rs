//! Takes what is due in one transaction: for each question a turn in the pace that all servers share, and for each new
//! page the body of its request.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::QueryResult;
use tokio::time::Instant;

use super::call::{Call, CallKind};
use super::pause::wait_after;
use super::room::CallRoom;
use super::turns::in_turn;
use crate::db::{Db, clock};
use crate::payment::store::inbox::{self, WaitingEvent};
use crate::payment::store::queue::{self, DuePayment};
use crate::payment::store::{ask_soon, fees, refunds};
use crate::payment::stripe::event::EventConcern;
use crate::payment::stripe::request::{self, SessionRequest};
use crate::payment::{LEASE, Payment, PaymentState, SESSION_TIME};

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
/// Stripe answers. Payments that are too late are no questions: they do not count.
pub fn take(db: &mut Db, room: CallRoom, only_one: bool, settings: &CallSettings) -> QueryResult<Taken> {
    let now = clock(db)?;
    // Turns are counted from here, not from the end of the commit, which takes its time: otherwise calls of
    // two transactions would come at the same moment.
    let read_at = Instant::now();
    let times = (now, now + LEASE);
    let limit = |most: usize, calls: &[Call]| -> i64 {
        let asking = calls.iter().filter(|call| call.kind() != CallKind::TooLate).count();
        let most = if only_one { most.min(1_usize.saturating_sub(asking)) } else { most };
        i64::try_from(most).unwrap_or(0)
    };
    // Events first: they wake payments. They lock payments in the order of their ids. What follows skips
    // locked rows, so it waits for no payment.
    let event_room = if only_one { 0 } else { room.events };
    let (mut calls, has_more_events) = take_events(db, event_room, times, settings)?;
    let mut may_be_more = has_more_events;
    let mut note = |taken: usize, limit: i64| may_be_more |= i64::try_from(taken).is_ok_and(|it| it >= limit);
    let look_limit = limit(room.looks, &calls);
    let open = queue::take(db, true, look_limit, settings.live, times)?;
    note(open.len(), look_limit);
    for due in open {
        calls.push(question(db, due, now, settings)?);
    }
    let page_limits = (i64::try_from(room.pages).unwrap_or(0), limit(room.pages, &calls));
    let (pages, taken) = take_pages(db, page_limits, times, settings)?;
    note(taken, page_limits.0);
    calls.extend(pages);
    let looks = calls.iter().filter(|call| call.kind() == CallKind::Look).count();
    let fee_limit = limit(room.looks.saturating_sub(looks), &calls);
    let unknown = fees::take(db, fee_limit, settings.live, times)?;
    note(unknown.len(), fee_limit);
    calls.extend(unknown.into_iter().map(|payment| Call::Fee(Box::new(payment))));
    let limit = limit(room.refunds, &calls);
    let both = refunds::take(db, limit, settings.live, times)?;
    note(both.len(), limit);
    calls.extend(both.into_iter().map(|both| Call::Refund(Box::new(both))));
    let in_turn = in_turn(db, calls, now, settings.per_second)?;
    let turn = |(at, call): (NaiveDateTime, Call)| (read_at + (at - now).to_std().unwrap_or_default(), call);
    Ok(Taken { calls: in_turn.into_iter().map(turn).collect(), may_be_more })
}

/// Takes payments that wait for their page, the oldest first, and returns how many there were. Nothing is asked about
/// those whose time is over, so all of them are ended; of the others, only `asking` become questions.
fn take_pages(
    db: &mut Db,
    (limit, mut asking): (i64, i64),
    times: (NaiveDateTime, NaiveDateTime),
    settings: &CallSettings,
) -> QueryResult<(Vec<Call>, usize)> {
    let (now, _) = times;
    let wanted = queue::take(db, false, limit, settings.live, times)?;
    let (mut calls, taken) = (Vec::new(), wanted.len());
    for due in wanted {
        if !is_too_late(&due, now) {
            if asking == 0 {
                queue::release(db, &due.payment, now)?;
                continue;
            }
            asking -= 1;
        }
        calls.push(question(db, due, now, settings)?);
    }
    Ok((calls, taken))
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

/// Whether a payment's time was over before there was a page.
fn is_too_late(due: &DuePayment, now: NaiveDateTime) -> bool {
    due.payment.state == PaymentState::Wanted && !is_in_time(due, now)
}

fn is_in_time(due: &DuePayment, now: NaiveDateTime) -> bool {
    due.hold.is_some_and(|hold| hold.end() > now)
}

/// What to ask about a payment.
fn question(
    db: &mut Db,
    mut due: DuePayment,
    now: NaiveDateTime,
    settings: &CallSettings,
) -> QueryResult<Call> {
    if is_too_late(&due, now) {
        // It is not ended here: a hold must be locked before payments are, and this transaction has already
        // locked some payments.
        return Ok(Call::TooLate(Box::new(due.payment)));
    }
    if due.payment.state == PaymentState::Wanted {
        if due.payment.request.is_none() {
            due.payment.request = fixed_request(db, &due, now, settings)?;
        }
        return Ok(Call::Open(Box::new(due)));
    }
    Ok(if is_in_time(&due, now) { Call::Look(Box::new(due)) } else { Call::Close(Box::new(due)) })
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
