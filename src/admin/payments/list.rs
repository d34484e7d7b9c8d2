//! `/admin/payments`, `/admin/events/{slug}/payments`: what buyers have paid online, and which payments
//! somebody has to look at.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDateTime;
use serde::Deserialize;

use super::health::WebhookHealth;
use super::stripe_page;
use super::totals::Totals;
use crate::admin::events::find;
use crate::admin::store::ledger;
use crate::admin::store::payments::{self as store, PaidConcert, PaymentRecord, PaymentView};
use crate::app::App;
use crate::auth::access::Organizer;
use crate::db::clock;
use crate::error::Error;
use crate::events::Event;
use crate::guard::form::Query;
use crate::money::Money;
use crate::page::Page;
use crate::payment::receipt::method_words;
use crate::payment::{PaymentState, RefundSource, RefundState};

/// Payments on a page.
const PAGE_LENGTH: usize = 50;

/// All payments that somebody has to look at, whatever their concert.
#[derive(Template)]
#[template(path = "admin/payments/index.html")]
struct PaymentsPage {
    page: Page,
    /// `None`: the site has no account to pay to.
    health: Option<WebhookHealth>,
    concerns: Vec<PaymentRecord>,
    concerts: Vec<PaidConcert>,
    now: NaiveDateTime,
}

#[derive(Template)]
#[template(path = "admin/payments/event.html")]
struct EventPaymentsPage {
    page: Page,
    event: Event,
    health: Option<WebhookHealth>,
    concerns: Vec<PaymentRecord>,
    records: Vec<PaymentRecord>,
    totals: Totals,
    query: PaymentsQuery,
    /// The id before which older payments begin.
    older: Option<i64>,
    now: NaiveDateTime,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PaymentsQuery {
    /// "open", "ended"; empty: what was paid.
    show: String,
    before: String,
}

impl PaymentsQuery {
    fn view(&self) -> Result<PaymentView, Error> {
        match self.show.as_str() {
            "" => Ok(PaymentView::Paid),
            "open" => Ok(PaymentView::Open),
            "ended" => Ok(PaymentView::Ended),
            _ => Err(Error::NotFound),
        }
    }

    fn before(&self) -> Result<Option<i64>, Error> {
        match self.before.as_str() {
            "" => Ok(None),
            id => id.parse().map(Some).map_err(|_| Error::NotFound),
        }
    }
}

impl PaymentRecord {
    /// When it was paid, or begun.
    pub fn at(&self) -> &NaiveDateTime {
        self.payment.paid_at.as_ref().unwrap_or(&self.payment.wanted_at)
    }

    pub fn stripe_page(&self) -> Option<String> {
        stripe_page(&self.payment)
    }

    /// What Stripe keeps, in the currencies of its account; nearly always one.
    pub fn fee(&self) -> String {
        self.fees.iter().map(Money::to_string).collect::<Vec<_>>().join(" and ")
    }

    /// What was refunded, or is being refunded or disputed; `None`: nothing.
    pub fn refunded(&self) -> Option<Money> {
        Some(self.money(self.payment.refunded_minor)).filter(|it| it.minor != 0)
    }

    pub fn method(&self) -> String {
        self.payment.method.as_deref().map(method_words).unwrap_or_default()
    }

    /// The badge's words, and its look.
    pub fn badge(&self) -> (&'static str, &'static str) {
        let payment = &self.payment;
        let is_disputed = |it: &crate::payment::Refund| {
            it.source == RefundSource::Dispute && it.state != RefundState::Failed
        };
        match payment.state {
            PaymentState::Wanted => ("Waiting", "queued"),
            PaymentState::Open if payment.declined.is_some() => ("Declined", "failed"),
            PaymentState::Open => ("Paying", "queued"),
            PaymentState::Paid if self.refunds.iter().any(is_disputed) => ("Disputed", "failed"),
            PaymentState::Paid if payment.refunded_minor >= payment.amount_minor => ("Refunded", "canceled"),
            PaymentState::Paid if payment.refunded_minor > 0 => ("Partly refunded", "sent"),
            PaymentState::Paid => ("Paid", "sent"),
            PaymentState::Expired => ("Not paid", "canceled"),
            PaymentState::Failed => ("Failed", "failed"),
            PaymentState::Review => ("Needs review", "failed"),
        }
    }
}

/// The badge of a refund: its words, and its look.
pub fn refund_badge(source: RefundSource, state: RefundState) -> (&'static str, &'static str) {
    match (source, state) {
        (RefundSource::Dispute, RefundState::Failed) => ("Dispute won", "sent"),
        (RefundSource::Dispute, RefundState::Done) => ("Dispute lost", "failed"),
        (RefundSource::Dispute, _) => ("Disputed", "failed"),
        (_, RefundState::Wanted) => ("Waiting", "queued"),
        (_, RefundState::Pending) => ("On its way", "queued"),
        (_, RefundState::Done) => ("Refunded", "sent"),
        (_, RefundState::Failed) => ("Did not work", "failed"),
    }
}

/// `GET /admin/payments`
pub async fn index(page: Page, _: Organizer, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let read = app.db.read_primary(|db| {
        let now = clock(db)?;
        Ok((store::concerning(db, None, now)?, store::concerts(db)?, store::webhook(db)?, now))
    });
    let (mut concerns, concerts, facts, now) = read.await?;
    concerns.retain(|record| !record.concerns(now).is_empty());
    let health = app.payments.as_ref().map(|_| WebhookHealth::of(&facts, now));
    let shown = PaymentsPage { page: page.clone(), health, concerns, concerts, now };
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `GET /admin/events/{slug}/payments?show=open&before=4711`
pub async fn show(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Query(query): Query<PaymentsQuery>,
) -> Result<HttpResponse, Error> {
    let (view, before) = (query.view()?, query.before()?);
    let (event, _) = find(&app, &slug).await?;
    let (id, is_first) = (event.id, before.is_none());
    // A site that no longer has an account shows real money.
    let live = app.payments.as_ref().is_none_or(|payments| payments.live);
    let read = app.db.read_primary(move |db| {
        let now = clock(db)?;
        let records = store::of_event(db, id, view, before, PAGE_LENGTH as i64 + 1)?;
        let concerns = if is_first { store::concerning(db, Some(id), now)? } else { Vec::new() };
        let parts = if is_first { ledger::quarter_sums(db, id, live)? } else { Vec::new() };
        Ok((records, concerns, parts, store::webhook(db)?, now))
    });
    let (mut records, mut concerns, parts, facts, now) = read.await?;
    let has_more = records.len() > PAGE_LENGTH;
    records.truncate(PAGE_LENGTH);
    let older = records.last().map(|it| it.payment.id).filter(|_| has_more);
    concerns.retain(|record| !record.concerns(now).is_empty());
    let totals = Totals::of(&parts, event.clock());
    let health = app.payments.as_ref().map(|_| WebhookHealth::of(&facts, now));
    let shown =
        EventPaymentsPage { page: page.clone(), event, health, concerns, records, totals, query, older, now };
    page.respond_unlisted(StatusCode::OK, &shown)
}
