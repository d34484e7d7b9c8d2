//! Money that goes back: what this site asks for, and what has begun or failed at Stripe.

use chrono::TimeDelta;
use diesel::QueryResult;

use super::pause::wait_after;
use super::report::CallReport;
use crate::db::{self, Database, Db};
use crate::error::Error;
use crate::payment::store::inbox::{self, WaitingEvent};
use crate::payment::store::outside::{self, OutsideRefund, find_by_provider, note_outside};
use crate::payment::store::{fees, refunds};
use crate::payment::stripe::StripeClient;
use crate::payment::stripe::amount::of_stripe;
use crate::payment::stripe::failure::StripeFailure;
use crate::payment::stripe::objects::{DisputeObject, RefundObject};
use crate::payment::stripe::request;
use crate::payment::{Payment, Refund, RefundSource, RefundState};

/// The wait before the next look at a refund that the bank has not finished.
const PENDING_AGAIN: TimeDelta = TimeDelta::hours(1);
/// The wait after a refusal that may pass: other sales bring money into an account that has too little, and
/// people can give a missing permission. Also the wait after a failure that Stripe repeats for this key.
const REFUSED_AGAIN: TimeDelta = TimeDelta::minutes(30);

/// Makes a refund, or asks what became of it.
///
/// Stripe forgets a key after a day. So from the second attempt on, this function first asks whether the
/// refund exists: no money is sent twice, however late the second request is. Where Stripe does not say what became
/// of a refund, nothing is decided.
pub(super) fn make_refund(
    db: &Database,
    stripe: &StripeClient,
    refund: Refund,
    payment: &Payment,
) -> Result<CallReport, Error> {
    let intent_id = payment.intent_id.as_deref().unwrap_or_default();
    let body = request::refund(intent_id, refund.id, refund.amount_minor, &payment.currency);
    let found = match look(stripe, &refund, intent_id) {
        Ok(found) => found,
        Err(failure) => {
            if !failure.is_outage() {
                log::error!("Stripe does not say what became of a refund: {failure}");
            }
            return look_again(db, &refund, failure);
        }
    };
    let answer = match (found, body) {
        (Some(found), _) => Ok(found),
        (None, Some(body)) => stripe.create_refund(&body, &refund.idempotency_key),
        (None, None) => {
            let why = "Stripe does not take this amount in this currency.";
            db.write_blocking(|db| refunds::failed(db, &refund, why))?;
            return Ok(CallReport::unasked());
        }
    };
    match answer {
        Ok(object) => keep_refund(db, refund, &object)?,
        Err(StripeFailure::Refused(refusal)) if !refusal.is("balance_insufficient") => {
            log::error!("Stripe refuses a refund: {refusal}");
            let listed = stripe.refunds_of(intent_id).unwrap_or_default();
            keep_refusal(db, refund, payment, (refusal.message.as_str(), listed.as_slice()))?;
        }
        Err(failure) => return put_off(db, &refund, failure),
    }
    Ok(CallReport::default())
}

/// The refund, if Stripe has accepted it, or an earlier request may have made it.
fn look(
    stripe: &StripeClient,
    refund: &Refund,
    intent_id: &str,
) -> Result<Option<RefundObject>, StripeFailure> {
    match &refund.refund_id {
        Some(id) => stripe.refund(id).map(Some),
        None if refund.attempts <= 1 => Ok(None),
        None => Ok(stripe.refunds_of(intent_id)?.into_iter().find(|it| it.is_of(refund.id))),
    }
}

/// Asks later what became of a refund, or asks for it again with the same key.
fn look_again(db: &Database, refund: &Refund, failure: StripeFailure) -> Result<CallReport, Error> {
    let wait = if failure.is_outage() { wait_after(refund.attempts) } else { REFUSED_AGAIN };
    db.write_blocking(|db| {
        let now = db::clock(db)?;
        refunds::put_off(db, refund, now + wait, Some(&words_of(&failure)))
    })?;
    Ok(CallReport::of(failure))
}

/// Stripe did not make a refund, or may have made it: before the next request, it is asked for it.
fn put_off(db: &Database, refund: &Refund, failure: StripeFailure) -> Result<CallReport, Error> {
    if failure.is_outage() {
        return look_again(db, refund, failure);
    }
    db.write_blocking(|db| {
        let now = db::clock(db)?;
        refunds::try_again(db, refund, now + REFUSED_AGAIN, &words_of(&failure))
    })?;
    Ok(CallReport::of(failure))
}

/// For the organizer's page.
fn words_of(failure: &StripeFailure) -> String {
    match failure {
        StripeFailure::Refused(refusal) | StripeFailure::Forbidden(refusal) => refusal.message.clone(),
        _ => failure.to_string(),
    }
}

/// Stripe refuses a refund, perhaps because an earlier request has made it, or because the money went back in another
/// way: `listed` says so.
fn keep_refusal(
    db: &Database,
    refund: Refund,
    payment: &Payment,
    (why, listed): (&str, &[RefundObject]),
) -> Result<(), Error> {
    if let Some(own) = listed.iter().find(|it| it.is_of(refund.id)) {
        keep_refund(db, refund, own)?;
        return db.write_blocking(|db| note_all(db, payment, listed).map(|_| ()));
    }
    db.write_blocking(|db| {
        refunds::failed(db, &refund, why)?;
        note_all(db, payment, listed).map(|_| ())
    })
}

fn keep_refund(db: &Database, refund: Refund, object: &RefundObject) -> Result<(), Error> {
    let id = object.id.clone();
    if object.has_failed() {
        let why = object.failure_reason.clone().unwrap_or_else(|| "The bank refused it.".to_owned());
        return db.write_blocking(move |db| {
            // Noted as accepted first, so that the ledger has both entries: the money went, and came back.
            if refund.state == RefundState::Wanted {
                refunds::accepted(db, &refund, &id, false, refund.due_at)?;
            }
            let accepted = Refund { state: RefundState::Pending, refund_id: Some(id), ..refund };
            refunds::failed(db, &accepted, &why)
        });
    }
    let is_done = object.is_done();
    db.write_blocking(move |db| {
        let later = db::clock(db)? + PENDING_AGAIN;
        refunds::accepted(db, &refund, &id, is_done, later)
    })
}

/// Notes what has begun or failed at Stripe, of a payment that is settled.
pub(super) fn note_refunds(
    db: &Database,
    stripe: &StripeClient,
    events: &[WaitingEvent],
    payment: &Payment,
) -> Result<CallReport, Error> {
    let named = events.iter().find_map(|event| event.intent_id.as_deref());
    let Some(intent_id) = payment.intent_id.as_deref().or(named) else {
        log::error!("an event names no payment: {}", events.first().map_or("", |it| &it.event_id));
        db.write_blocking(|db| end(db, events, true))?;
        return Ok(CallReport::unasked());
    };
    match stripe.refunds_of(intent_id) {
        Ok(listed) => {
            db.write_blocking(|db| {
                let is_noted = note_all(db, payment, &listed)?;
                end(db, events, is_noted)
            })?;
            Ok(CallReport { is_mail_queued: true, ..CallReport::default() })
        }
        Err(failure) => put_off_events(db, events, failure),
    }
}

/// Notes what has begun or failed at Stripe. Returns whether all of these refunds are noted.
fn note_all(db: &mut Db, payment: &Payment, listed: &[RefundObject]) -> QueryResult<bool> {
    let mut is_noted = true;
    for object in listed {
        if object.has_failed() {
            let why = object.failure_reason.as_deref().unwrap_or("The bank refused it.");
            outside::refund_failed_at_provider(db, payment, &object.id, why)?;
            continue;
        }
        let amount = of_stripe(object.amount, &object.currency.to_ascii_uppercase());
        let is_same = object.currency.eq_ignore_ascii_case(&payment.currency);
        match amount.filter(|amount| *amount > 0 && is_same) {
            Some(amount_minor) if object.is_from_outside() => {
                let found = OutsideRefund {
                    source: RefundSource::Outside,
                    state: if object.is_done() { RefundState::Done } else { RefundState::Pending },
                    provider_id: &object.id,
                    amount_minor,
                    reason: "",
                };
                is_noted &= note_outside(db, payment.id, &found)?;
            }
            Some(_) => {}
            None => log::error!("a refund of another currency cannot be noted: {}", object.id),
        }
    }
    Ok(is_noted)
}

/// Notes a dispute, and how it was decided.
pub(super) fn note_dispute(
    db: &Database,
    stripe: &StripeClient,
    event: &WaitingEvent,
    payment: &Payment,
) -> Result<CallReport, Error> {
    match stripe.dispute(&event.object_id) {
        Ok(dispute) => {
            db.write_blocking(|db| {
                let is_noted = keep_dispute(db, payment, &dispute)?;
                end(db, std::slice::from_ref(event), is_noted)
            })?;
            Ok(CallReport::default())
        }
        Err(failure) => put_off_events(db, std::slice::from_ref(event), failure),
    }
}

/// Notes a dispute. Returns whether nothing is left to note, which is also so if it is not about this
/// payment.
fn keep_dispute(db: &mut Db, payment: &Payment, dispute: &DisputeObject) -> QueryResult<bool> {
    // Two sites may share an account, and have payments of the same number.
    let is_own = dispute.intent_id().is_some_and(|id| payment.intent_id.as_deref() == Some(id));
    // A bank that only asks has taken nothing.
    if !is_own || dispute.is_inquiry() {
        return Ok(true);
    }
    fees::of_dispute(db, payment, &dispute.fees())?;
    let is_won = dispute.status == "won";
    let is_known = find_by_provider(db, &dispute.id)?.is_some();
    if !is_known && is_won {
        return Ok(true);
    }
    if !is_known {
        let amount = of_stripe(dispute.amount, &dispute.currency.to_ascii_uppercase());
        let is_same = dispute.currency.eq_ignore_ascii_case(&payment.currency);
        let Some(amount_minor) = amount.filter(|amount| *amount > 0 && is_same) else {
            log::error!("a dispute in another currency cannot be noted: {}", dispute.id);
            return Ok(true);
        };
        let found = OutsideRefund {
            source: RefundSource::Dispute,
            state: RefundState::Pending,
            provider_id: &dispute.id,
            amount_minor,
            reason: &dispute.reason,
        };
        if !note_outside(db, payment.id, &found)? {
            return Ok(false);
        }
    }
    if is_won || dispute.status == "lost" {
        outside::dispute_decided(db, payment, &dispute.id, is_won)?;
    }
    Ok(true)
}

/// Events are done with when everything that they are about is noted. Otherwise they come again.
fn end(db: &mut Db, events: &[WaitingEvent], is_noted: bool) -> QueryResult<()> {
    let now = db::clock(db)?;
    events.iter().try_for_each(|event| {
        if is_noted {
            inbox::handled(db, &event.event_id, now)
        } else {
            inbox::put_off(db, &event.event_id, now + wait_after(event.attempts))
        }
    })
}

/// Stripe did not say what the events are about. After a refusal they are done with, because it would refuse
/// again; otherwise they come again.
fn put_off_events(
    db: &Database,
    events: &[WaitingEvent],
    failure: StripeFailure,
) -> Result<CallReport, Error> {
    if !failure.is_outage() {
        log::error!("an event cannot be followed: {failure}");
    }
    let is_over = matches!(failure, StripeFailure::Refused(_));
    db.write_blocking(|db| end(db, events, is_over))?;
    Ok(CallReport::of(failure))
}
