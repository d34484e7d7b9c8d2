//! `/admin/bookings/{reference}/refund`: an organizer gives money back for tickets that stay valid, or for a refund
//! that did not work. It asks for the password: money is gone for good.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::admin::bookings::find;
use crate::admin::refusal;
use crate::admin::store::payments as records;
use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::access::Organizer;
use crate::auth::reauthentication::check_again;
use crate::booking::PlacedBooking;
use crate::booking::cancellation::note::parse_message;
use crate::error::Error;
use crate::events::editing::typed::price;
use crate::guard::form::{Form, Query};
use crate::money::Money;
use crate::page::{Page, Toast, see_other_with};
use crate::payment::store::by_hand::{self, AmountRefund, WantedAmount};
use crate::payment::{Payment, PaymentState};

#[derive(Template)]
#[template(path = "admin/payments/refund.html")]
struct RefundPage {
    page: Page,
    placed: PlacedBooking,
    /// The payment of which the most is left; `None`: nothing was paid online.
    payment: Option<Payment>,
    form: RefundForm,
    amount_error: Option<String>,
    reason_error: Option<String>,
    password_error: Option<String>,
    /// Why nothing was refunded.
    refusal: Option<String>,
}

impl RefundPage {
    fn of(page: Page, placed: PlacedBooking, payment: Option<Payment>, form: RefundForm) -> Self {
        let (amount_error, reason_error, password_error, refusal) = (None, None, None, None);
        Self { page, placed, payment, form, amount_error, reason_error, password_error, refusal }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RefundForm {
    amount: String,
    /// How much was refunded before the form was shown, in the minor unit: a form that is sent twice refunds
    /// once.
    refunded: String,
    reason: String,
    password: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RefundQuery {
    amount: String,
}

/// `GET /admin/bookings/{reference}/refund?amount=12.50`
pub async fn new(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    reference: web::Path<String>,
    Query(query): Query<RefundQuery>,
) -> Result<HttpResponse, Error> {
    let (placed, payment) = find_paid(&app, &reference).await?;
    let form = RefundForm { amount: query.amount, ..RefundForm::default() };
    page.clone().respond_unlisted(StatusCode::OK, &RefundPage::of(page, placed, payment, form))
}

/// `POST /admin/bookings/{reference}/refund`
pub async fn create(
    request: HttpRequest,
    page: Page,
    Organizer(mut admin): Organizer,
    app: web::Data<App>,
    reference: web::Path<String>,
    Form(mut form): Form<RefundForm>,
) -> Result<HttpResponse, Error> {
    let (placed, payment) = find_paid(&app, &reference).await?;
    let payment = payment.ok_or(Error::NotFound)?;
    let password = std::mem::take(&mut form.password);
    let (amount, reason) = (read_amount(&form.amount, &payment), parse_message(&form.reason));
    let (amount_minor, reason) = match (amount, reason) {
        (Ok(amount), Ok(reason)) => (amount, reason),
        (amount, reason) => {
            let (amount_error, reason_error) = (amount.err(), reason.err());
            let shown = RefundPage::of(page.clone(), placed, Some(payment), form);
            let shown = RefundPage { amount_error, reason_error, ..shown };
            return page.respond_unlisted(StatusCode::UNPROCESSABLE_ENTITY, &shown);
        }
    };
    if let Err(refusal) = check_again(&request, &app.auth, &mut admin, password).await? {
        let password_error = Some(refusal::sentence(refusal, "Wrong password. Nothing was refunded."));
        let shown = RefundPage::of(page.clone(), placed, Some(payment), form);
        return refusal::respond(&page, refusal, &RefundPage { password_error, ..shown });
    }
    let (actor, payment_id) = (admin.actor(), payment.id);
    let booking_reference = placed.booking.reference.clone();
    let wanted = WantedAmount {
        payment_id,
        amount_minor,
        // No payment has -1: a form without it is shown again.
        refunded_before: form.refunded.parse().unwrap_or(-1),
        reason,
        actor: actor.name.clone(),
    };
    let amount = Money::new(amount_minor, &payment.currency);
    let words = amount.to_string();
    let outcome = app.db.write(move |db| {
        let outcome = by_hand::refund_amount(db, &wanted)?;
        if outcome == AmountRefund::Wanted {
            audit::store::record_change(db, &actor, Action::MoneyRefunded, &booking_reference, 1, &words)?;
        }
        Ok(outcome)
    });
    if outcome.await? == AmountRefund::Changed {
        let (placed, payment) = find_paid(&app, &reference).await?;
        let shown = RefundPage::of(page.clone(), placed, payment, form);
        let refusal =
            Some("Something was refunded since you opened this page. Check the amount again.".into());
        return page.respond_unlisted(StatusCode::CONFLICT, &RefundPage { refusal, ..shown });
    }
    if let Some(payments) = &app.payments {
        payments.wakeup.notify();
    }
    app.outbox_wakeup.notify();
    let toast = Toast::success(format!("{amount} is being refunded to the buyer."));
    let location = format!("/admin/bookings/{}", placed.booking.reference);
    Ok(see_other_with(&app.cookies, &location, &toast))
}

/// The booking, and the payment of which the most is left.
async fn find_paid(app: &App, reference: &str) -> Result<(PlacedBooking, Option<Payment>), Error> {
    let placed = find(app, reference).await?;
    let id = placed.booking.id;
    let records = app.db.read_primary(move |db| records::of_booking(db, id)).await?;
    let paid = records.into_iter().map(|it| it.payment).filter(|it| it.state == PaymentState::Paid);
    Ok((placed, paid.max_by_key(|it| it.kept().minor)))
}

fn read_amount(typed: &str, payment: &Payment) -> Result<i64, String> {
    if typed.trim().is_empty() {
        return Err("Enter the amount to refund.".to_owned());
    }
    let minor = price(typed.trim(), &payment.currency)?;
    let left = payment.kept();
    match minor {
        0 => Err("Enter more than 0.".to_owned()),
        minor if minor > left.minor => Err(format!("{left} of this payment is left.")),
        minor => Ok(minor),
    }
}
