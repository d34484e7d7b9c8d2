//! One question to Stripe, and what its answer changes. It blocks: it runs on the blocking pool. Between the question
//! and the transaction that keeps the answer the server may die; then the question is asked again, by its key.

use chrono::{DateTime, NaiveDateTime, TimeDelta};

use super::pause::wait_after;
use crate::db::{self, Database};
use crate::error::Error;
use crate::events::Stock;
use crate::payment::store::inbox::{self, WaitingEvent};
use crate::payment::store::queue::{self, DuePayment, OpenedPage};
use crate::payment::store::refunds;
use crate::payment::store::settling::{Settlement, settle};
use crate::payment::stripe::StripeClient;
use crate::payment::stripe::amount::of_stripe;
use crate::payment::stripe::failure::StripeFailure;
use crate::payment::stripe::objects::{CheckoutSession, RefundObject};
use crate::payment::stripe::request;
use crate::payment::verdict::{Verdict, judge};
use crate::payment::{Payment, Refund, RefundSource, RefundState};

/// A refund that a bank takes its days for is looked at each hour.
const PENDING_AGAIN: TimeDelta = TimeDelta::hours(1);
/// An account with too little gets money from other sales.
const BALANCE_AGAIN: TimeDelta = TimeDelta::minutes(30);
/// A settlement that meets a hold in the middle of its end.
const MOMENT: TimeDelta = TimeDelta::seconds(1);

/// A question.
#[derive(Debug, Clone)]
pub enum Call {
    /// Make a page.
    Open(Box<DuePayment>),
    /// What became of a page?
    Look(Box<DuePayment>),
    /// Close a page.
    Close(Box<DuePayment>),
    /// Give money back, or say what became of that.
    Refund(Box<(Refund, Payment)>),
    /// What has begun at Stripe?
    Event(WaitingEvent, Box<Payment>),
}

/// What a call came to.
#[derive(Debug, Default)]
pub struct CallReport {
    /// What is left of ticket types that have changed.
    pub stock: Vec<Stock>,
    /// A mail was queued.
    pub is_mail_queued: bool,
    /// Stripe has answered, or it has not.
    pub failure: Option<StripeFailure>,
}

/// Asks, and keeps the answer.
///
/// # Errors
/// Those of the database. The question is due again when its lease ends.
pub fn make(db: &Database, stripe: &StripeClient, call: Call) -> Result<CallReport, Error> {
    match call {
        Call::Open(due) => open(db, stripe, &due),
        Call::Look(due) => {
            let session = due.payment.session_id.clone().unwrap_or_default();
            match stripe.session(&session) {
                Ok(session) => act(db, &due, &session),
                Err(failure) => put_off(db, due.payment, failure),
            }
        }
        Call::Close(due) => close(db, stripe, &due),
        Call::Refund(both) => {
            let (refund, payment) = *both;
            give_back(db, stripe, refund, &payment)
        }
        Call::Event(event, payment) => note_event(db, stripe, &event, &payment),
    }
}

fn open(db: &Database, stripe: &StripeClient, due: &DuePayment) -> Result<CallReport, Error> {
    let payment = &due.payment;
    // It was fixed when this was taken; without one there is nothing that Stripe could be asked for.
    let Some(body) = payment.request.as_deref() else {
        return fail(db, payment.clone(), "Stripe does not take this amount in this currency.", false);
    };
    let session = match stripe.create_session(body, &payment.idempotency_key) {
        Ok(session) => session,
        Err(StripeFailure::Stuck(status)) => {
            return fail(db, payment.clone(), &format!("Stripe failed with status {status}."), true);
        }
        Err(StripeFailure::Refused(refusal)) => {
            // Too much time has passed since the request was fixed. Stripe has read it and made nothing.
            let is_late = refusal.param.as_deref() == Some("expires_at");
            if !is_late {
                log::error!("Stripe makes no page to pay on: {refusal}");
            }
            return fail(db, payment.clone(), &refusal.message, is_late);
        }
        Err(failure) => return put_off(db, payment.clone(), failure),
    };
    let page = OpenedPage {
        session_id: session.id.clone(),
        url: session.url.clone().unwrap_or_default(),
        intent_id: session.intent_id().map(str::to_owned),
        ends_at: time(session.expires_at),
    };
    let own = payment.clone();
    if page.url.is_empty() || session.livemode != payment.live {
        return fail(db, own, "Stripe made a page that nobody can pay on.", false);
    }
    if !db.write_blocking(move |db| queue::opened(db, &own, &page))? {
        // Nobody has seen it. Left open, it would close by itself.
        if let Err(failure) = stripe.expire_session(&session.id) {
            log::info!("a page that nobody needs stays open until its end: {failure}");
        }
    }
    Ok(CallReport::default())
}

fn close(db: &Database, stripe: &StripeClient, due: &DuePayment) -> Result<CallReport, Error> {
    let id = due.payment.session_id.as_deref().unwrap_or_default();
    let closed = match stripe.expire_session(id) {
        // It is closed already, or was paid on in the last moment: Stripe says which.
        Err(StripeFailure::Refused(_)) => stripe.session(id),
        closed => closed,
    };
    match closed {
        Ok(session) => act(db, due, &session),
        Err(failure) => put_off(db, due.payment.clone(), failure),
    }
}

/// Does what a page means.
fn act(db: &Database, due: &DuePayment, session: &CheckoutSession) -> Result<CallReport, Error> {
    let (payment, hold) = (due.payment.clone(), due.hold);
    let mut report = CallReport::default();
    match judge(&payment, session) {
        Verdict::Paid(paid) => {
            let settlement = db.write_blocking(move |db| {
                let settlement = settle(db, payment.id, &paid)?;
                if settlement == Settlement::Again {
                    let soon = db::clock(db)? + MOMENT;
                    queue::put_off(db, &payment, soon, None)?;
                }
                Ok(settlement)
            })?;
            match settlement {
                Settlement::Confirmed { stock } => (report.stock, report.is_mail_queued) = (stock, true),
                Settlement::Refunding { stock } => {
                    log::warn!("a payment came when its tickets were gone: it goes back");
                    (report.stock, report.is_mail_queued) = (stock, true);
                }
                Settlement::Done | Settlement::Again => {}
            }
        }
        Verdict::Closed => db.write_blocking(move |db| queue::expired(db, &payment))?,
        Verdict::Declined(code) => db.write_blocking(move |db| {
            let next = hold.map_or(payment.due_at, |hold| hold.end());
            queue::declined(db, &payment, &code, next)
        })?,
        Verdict::Open => db.write_blocking(move |db| {
            let now = db::clock(db)?;
            let next = hold.map(|hold| hold.end()).filter(|end| *end > now);
            let next = next.unwrap_or_else(|| now + wait_after(payment.attempts));
            queue::put_off(db, &payment, next, None)
        })?,
        Verdict::Review(why) => {
            log::error!("a payment needs a look: {why}");
            db.write_blocking(move |db| queue::to_review(db, &payment, &why))?;
        }
    }
    Ok(report)
}

fn fail(db: &Database, payment: Payment, why: &str, retry: bool) -> Result<CallReport, Error> {
    db.write_blocking(|db| queue::failed(db, &payment, why, retry))?;
    Ok(CallReport::default())
}

fn put_off(db: &Database, payment: Payment, failure: StripeFailure) -> Result<CallReport, Error> {
    let why = failure.to_string();
    db.write_blocking(move |db| {
        let due_at = db::clock(db)? + wait_after(payment.attempts);
        queue::put_off(db, &payment, due_at, Some(&why))
    })?;
    let failure = Some(failure).filter(StripeFailure::is_outage);
    Ok(CallReport { failure, ..CallReport::default() })
}

fn give_back(
    db: &Database,
    stripe: &StripeClient,
    refund: Refund,
    payment: &Payment,
) -> Result<CallReport, Error> {
    let intent_id = payment.intent_id.as_deref().unwrap_or_default();
    let body = request::refund(intent_id, refund.id, refund.amount_minor, &payment.currency);
    let answer = match (&refund.refund_id, body) {
        (Some(id), _) => stripe.refund(id),
        (None, Some(body)) => stripe.create_refund(&body, &refund.idempotency_key),
        (None, None) => {
            let why = "Stripe does not take this amount in this currency.";
            db.write_blocking(|db| refunds::failed(db, &refund, why))?;
            return Ok(CallReport::default());
        }
    };
    match answer {
        Ok(object) => keep_refund(db, refund, &object)?,
        Err(StripeFailure::Refused(refusal)) if !refusal.is("balance_insufficient") => {
            log::error!("Stripe refuses a refund: {refusal}");
            db.write_blocking(|db| refunds::failed(db, &refund, &refusal.message))?;
        }
        Err(failure) => {
            // A refund that may have been made is never given a new key: somebody looks at it.
            let wait = match &failure {
                StripeFailure::Refused(_) | StripeFailure::Stuck(_) => BALANCE_AGAIN,
                _ => wait_after(refund.attempts),
            };
            let why = match &failure {
                StripeFailure::Refused(refusal) => refusal.message.clone(),
                other => other.to_string(),
            };
            db.write_blocking(|db| {
                let due_at = db::clock(db)? + wait;
                refunds::put_off(db, &refund, due_at, Some(&why))
            })?;
            let failure = Some(failure).filter(StripeFailure::is_outage);
            return Ok(CallReport { failure, ..CallReport::default() });
        }
    }
    Ok(CallReport::default())
}

fn keep_refund(db: &Database, refund: Refund, object: &RefundObject) -> Result<(), Error> {
    let id = object.id.clone();
    match object.status.as_deref() {
        Some("failed" | "canceled") => {
            let why = object.failure_reason.clone().unwrap_or_else(|| "The bank refused it.".to_owned());
            db.write_blocking(move |db| {
                // Accepted first, so that the ledger has both ways.
                if refund.state == RefundState::Wanted {
                    refunds::accepted(db, &refund, &id, false, refund.due_at)?;
                }
                let accepted = Refund { state: RefundState::Pending, refund_id: Some(id), ..refund };
                refunds::failed(db, &accepted, &why)
            })
        }
        status => db.write_blocking(move |db| {
            let later = db::clock(db)? + PENDING_AGAIN;
            refunds::accepted(db, &refund, &id, status == Some("succeeded"), later)
        }),
    }
}

/// Notes refunds and disputes that began at Stripe.
fn note_event(
    db: &Database,
    stripe: &StripeClient,
    event: &WaitingEvent,
    payment: &Payment,
) -> Result<CallReport, Error> {
    let found = if event.kind.starts_with("charge.dispute.") {
        stripe.dispute(&event.object_id).map(|dispute| {
            vec![(RefundSource::Dispute, dispute.id, dispute.amount, dispute.currency, dispute.reason)]
        })
    } else {
        let intent_id = payment.intent_id.as_deref().unwrap_or_default();
        stripe.refunds_of(intent_id).map(|listed| {
            let ours = listed
                .data
                .into_iter()
                .filter(|it| it.is_from_outside() && it.status.as_deref() == Some("succeeded"));
            ours.map(|it| (RefundSource::Outside, it.id, it.amount, it.currency, String::new())).collect()
        })
    };
    let found: Vec<_> = match found {
        Ok(found) => found,
        // It is due again when its lease ends.
        Err(failure) if failure.is_outage() => {
            return Ok(CallReport { failure: Some(failure), ..CallReport::default() });
        }
        Err(failure) => {
            log::error!("an event cannot be followed: {failure}");
            Vec::new()
        }
    };
    db.write_blocking(|db| {
        for (source, id, amount, currency, reason) in &found {
            let amount = of_stripe(*amount, &currency.to_ascii_uppercase());
            let is_same = currency.eq_ignore_ascii_case(&payment.currency);
            if let Some(amount) = amount.filter(|_| is_same) {
                refunds::note_outside(db, payment, *source, id, amount, reason)?;
            }
        }
        inbox::handled(db, &event.event_id)
    })?;
    Ok(CallReport::default())
}

fn time(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc()
}
