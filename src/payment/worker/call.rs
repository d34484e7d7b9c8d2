//! One question to Stripe, and what its answer changes. It blocks: it runs on the blocking pool. If the
//! server dies before the transaction that keeps the answer, the question is asked again, with the same key.

use chrono::TimeDelta;

use super::pause::wait_after;
use super::refunds::{make_refund, note_dispute, note_refunds};
use super::report::CallReport;
use crate::db::{self, Database};
use crate::error::Error;
use crate::payment::store::clocks::{self, PacedEndpoint};
use crate::payment::store::failing::{self, NextAttempt};
use crate::payment::store::fees;
use crate::payment::store::inbox::{self, WaitingEvent};
use crate::payment::store::queue::{self, DuePayment, OpenedPage};
use crate::payment::store::settling::{Settlement, settle};
use crate::payment::stripe::StripeClient;
use crate::payment::stripe::failure::{StripeFailure, StripeRefusal};
use crate::payment::stripe::objects::CheckoutSession;
use crate::payment::verdict::{Verdict, judge};
use crate::payment::{Payment, PaymentState, Refund};

/// The wait after a settlement that met a hold whose end was not written yet. A call that Stripe refused as one
/// too many waits this long for each attempt so far.
const MOMENT: TimeDelta = TimeDelta::seconds(1);
/// The wait before the next try to close a page whose time is over.
const OPEN_AGAIN: TimeDelta = TimeDelta::seconds(5);

/// A question.
#[derive(Debug, Clone)]
pub enum Call {
    /// Make a page.
    Open(Box<DuePayment>),
    /// What became of a page?
    Look(Box<DuePayment>),
    /// Close a page.
    Close(Box<DuePayment>),
    /// Make a refund, or say what became of it.
    Refund(Box<(Refund, Payment)>),
    /// Which refunds have begun at Stripe, or failed there? All events of one payment are one question.
    OutsideRefunds(Vec<WaitingEvent>, Box<Payment>),
    /// What became of a dispute?
    Dispute(WaitingEvent, Box<Payment>),
    /// An event is about a page that was given up here, or that people look into. What became of it?
    Event(WaitingEvent, Box<DuePayment>),
    /// It was paid. What does Stripe keep of it?
    Fee(Box<Payment>),
    /// Its time was over before there was a page: nothing is asked.
    TooLate(Box<Payment>),
}

/// What a call is about. Each kind has room of its own; payments that are too late have that of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// A page that was made: is it paid, is it closed, what does Stripe keep of the payment?
    Look,
    /// A page that is to be made.
    Page,
    Refund,
    Event,
    /// A payment that is ended without asking Stripe.
    TooLate,
}

impl Call {
    #[must_use]
    pub fn kind(&self) -> CallKind {
        match self {
            Self::Look(_) | Self::Close(_) | Self::Fee(_) => CallKind::Look,
            Self::Open(_) => CallKind::Page,
            Self::Refund(_) => CallKind::Refund,
            Self::OutsideRefunds(..) | Self::Dispute(..) | Self::Event(..) => CallKind::Event,
            Self::TooLate(_) => CallKind::TooLate,
        }
    }

    /// The endpoint whose pace it keeps. `None`: Stripe is not asked.
    pub(super) fn endpoint(&self) -> Option<PacedEndpoint> {
        Some(match self {
            Self::Open(_) => PacedEndpoint::Create,
            Self::Look(_) | Self::Event(..) | Self::Fee(_) => PacedEndpoint::Read,
            Self::Close(_) => PacedEndpoint::Expire,
            Self::Refund(_) => PacedEndpoint::Refund,
            Self::OutsideRefunds(..) | Self::Dispute(..) => PacedEndpoint::List,
            Self::TooLate(_) => return None,
        })
    }
}

/// Asks, and keeps the answer. If Stripe says that there are too many calls, one turn is skipped.
///
/// # Errors
/// Those of the database. The question is due again when its lease ends.
pub fn make(db: &Database, stripe: &StripeClient, call: Call, per_second: u32) -> Result<CallReport, Error> {
    let endpoint = call.endpoint();
    let report = ask(db, stripe, call)?;
    if let (Some(StripeFailure::TooMany), Some(endpoint)) = (&report.failure, endpoint) {
        db.write_blocking(|db| {
            let now = db::clock(db)?;
            clocks::reserve(db, endpoint, 1, per_second, (now, TimeDelta::MAX))
        })?;
    }
    Ok(report)
}

fn ask(db: &Database, stripe: &StripeClient, call: Call) -> Result<CallReport, Error> {
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
            make_refund(db, stripe, refund, &payment)
        }
        Call::OutsideRefunds(events, payment) => note_refunds(db, stripe, &events, &payment),
        Call::Dispute(event, payment) => note_dispute(db, stripe, &event, &payment),
        Call::Event(event, due) => recheck_ended(db, stripe, &event, &due),
        Call::Fee(payment) => ask_fee(db, stripe, &payment),
        Call::TooLate(payment) => {
            db.write_blocking(|db| queue::too_late(db, &payment))?;
            Ok(CallReport::unasked())
        }
    }
}

fn open(db: &Database, stripe: &StripeClient, due: &DuePayment) -> Result<CallReport, Error> {
    let payment = &due.payment;
    // The body was fixed when this payment was taken. There is none only if Stripe cannot take the amount.
    let Some(body) = payment.request.as_deref() else {
        fail(db, payment, "Stripe does not take this amount in this currency.", NextAttempt::Stop)?;
        return Ok(CallReport::unasked());
    };
    let session = match stripe.create_session(body, &payment.idempotency_key) {
        Ok(session) => session,
        Err(StripeFailure::Stuck(status)) => {
            return fail(db, payment, &format!("Stripe failed with status {status}."), NextAttempt::Again);
        }
        Err(StripeFailure::Refused(refusal) | StripeFailure::Forbidden(refusal)) => {
            let next = next_attempt(&refusal);
            if next == NextAttempt::Stop {
                log::error!("Stripe refused to create a payment page: {refusal}");
            }
            // Stripe's words name the address that it does not take.
            let why = match next {
                NextAttempt::WithoutEmail => "Stripe does not take the buyer’s email address.",
                _ => &refusal.message,
            };
            return fail(db, payment, why, next);
        }
        Err(failure) => return put_off(db, payment.clone(), failure),
    };
    let page = OpenedPage {
        session_id: session.id.clone(),
        url: session.url.clone().unwrap_or_default(),
        intent_id: session.intent_id().map(str::to_owned),
        ends_at: session.ends_at(),
    };
    if page.url.is_empty() || session.livemode != payment.live {
        return fail(db, payment, "Stripe made a page that nobody can pay on.", NextAttempt::Stop);
    }
    if !db.write_blocking(|db| queue::opened(db, payment, &page))? {
        // Nobody has seen the page. If it stays open, it closes by itself later.
        if let Err(failure) = stripe.expire_session(&session.id) {
            log::info!("a page that nobody needs stays open until its end: {failure}");
        }
    }
    Ok(CallReport::default())
}

/// What to do after Stripe has refused a request for a page. It has made none, and another request may
/// succeed.
fn next_attempt(refusal: &StripeRefusal) -> NextAttempt {
    match refusal.param.as_deref() {
        // Too much time has passed since the request was fixed.
        Some("expires_at") => NextAttempt::Again,
        Some("customer_email") => NextAttempt::WithoutEmail,
        _ => NextAttempt::Stop,
    }
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

/// Carries out the verdict on a page.
fn act(db: &Database, due: &DuePayment, session: &CheckoutSession) -> Result<CallReport, Error> {
    let (payment, hold) = (due.payment.clone(), due.hold);
    let mut report = CallReport::default();
    match judge(&payment, session) {
        Verdict::Paid(paid) => {
            let settlement = db.write_blocking(move |db| {
                let settlement = settle(db, payment.id, &paid)?;
                if settlement == Settlement::Again {
                    let soon = db::clock(db)? + MOMENT;
                    queue::look_again(db, &payment, soon)?;
                }
                Ok(settlement)
            })?;
            match settlement {
                Settlement::Confirmed { stock } => (report.stock, report.is_mail_queued) = (stock, true),
                Settlement::Refunding { stock } => {
                    log::warn!(
                        "payment {} arrived after its tickets were gone, so it is refunded",
                        due.payment.id
                    );
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
            // The page could not be closed, and Stripe says that it is open: soon again.
            queue::look_again(db, &payment, next.unwrap_or(now + OPEN_AGAIN))
        })?,
        Verdict::Review(why) => {
            log::error!("payment {} needs review: {why}", payment.id);
            let intent_id = session.intent_id();
            db.write_blocking(move |db| failing::to_review(db, &payment, intent_id, &why))?;
        }
    }
    Ok(report)
}

/// Follows an event about a payment that has ended without money, as far as this site knew, or that people look into.
fn recheck_ended(
    db: &Database,
    stripe: &StripeClient,
    event: &WaitingEvent,
    due: &DuePayment,
) -> Result<CallReport, Error> {
    let known = due.payment.session_id.as_deref().unwrap_or(&event.object_id);
    let session = match stripe.session(known) {
        Ok(session) => session,
        // It is due again when its lease ends.
        Err(failure) if failure.is_outage() => return Ok(CallReport::of(failure)),
        Err(failure) => {
            log::error!("an event about a payment that has ended cannot be followed: {failure}");
            db.write_blocking(|db| {
                let now = db::clock(db)?;
                inbox::handled(db, &event.event_id, now)
            })?;
            return Ok(CallReport::default());
        }
    };
    let is_in_review = due.payment.state == PaymentState::Review;
    let verdict = judge(&due.payment, &session);
    let is_news = !is_in_review && matches!(verdict, Verdict::Paid(_) | Verdict::Review(_));
    let report = if is_news {
        log::warn!("a payment page was paid after it had been given up: payment {}", due.payment.id);
        act(db, due, &session)?
    } else {
        CallReport::default()
    };
    db.write_blocking(|db| {
        if is_in_review && verdict == Verdict::Closed {
            failing::reviewed(db, &due.payment)?;
        }
        let now = db::clock(db)?;
        if is_news {
            // The hold's end may not be written yet, and what went back is noted once the payment is settled.
            return inbox::put_off(db, &event.event_id, now + MOMENT);
        }
        inbox::handled(db, &event.event_id, now)
    })?;
    Ok(report)
}

fn ask_fee(db: &Database, stripe: &StripeClient, payment: &Payment) -> Result<CallReport, Error> {
    let answer = stripe.session(payment.session_id.as_deref().unwrap_or_default());
    let fee = answer.as_ref().ok().and_then(CheckoutSession::fee);
    db.write_blocking(|db| match &fee {
        Some(fee) => fees::found(db, payment, fee),
        None => fees::look_later(db, payment),
    })?;
    Ok(answer.err().map_or_else(CallReport::default, CallReport::of))
}

fn fail(db: &Database, payment: &Payment, why: &str, next: NextAttempt) -> Result<CallReport, Error> {
    db.write_blocking(|db| failing::failed(db, payment, why, next))?;
    Ok(CallReport::default())
}

fn put_off(db: &Database, payment: Payment, failure: StripeFailure) -> Result<CallReport, Error> {
    let (why, is_too_fast) = (failure.to_string(), failure == StripeFailure::TooMany);
    db.write_blocking(move |db| {
        let wait = if is_too_fast { MOMENT * payment.attempts } else { wait_after(payment.attempts) };
        let due_at = db::clock(db)? + wait;
        queue::put_off(db, &payment, due_at, &why)
    })?;
    Ok(CallReport::of(failure))
}
