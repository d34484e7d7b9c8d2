//! `/bookings/{token}/payment`, `/bookings/{token}/extension`, `/bookings/{token}/release`
//!
//! A page of ours stands between our form and Stripe's page: browsers apply `form-action` to redirects after a post,
//! and ours stays `'self'`. So the way out is a link. It works without a script.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::store::online::is_in_review;
use super::store::returns::{GivenUp, give_up_held};
use super::store::{self, ExtensionOutcome, HoldTimes, WantOutcome};
use super::{Payment, PaymentState};
use crate::app::App;
use crate::booking::PlacedBooking;
use crate::booking::pages::find_placed_booking;
use crate::booking::release::announce;
use crate::db;
use crate::error::Error;
use crate::guard::form::Query;
use crate::page::{Page, Toast, see_other, see_other_with};

/// What the buyer can do now.
enum PayStep {
    /// Ask for the page to pay on.
    Ready,
    /// It is being made; about so many seconds are left.
    Waiting { seconds: i64 },
    /// Pay there.
    Open { url: String },
    /// The buyer says that it is paid, and Stripe is asked.
    Checking,
    /// Something was paid, and people look into it.
    Review,
}

#[derive(Template)]
#[template(path = "bookings/payment.html")]
struct PaymentPage {
    page: Page,
    placed: PlacedBooking,
    step: PayStep,
    /// On the venue's clock.
    until: String,
    extensions_left: i32,
    is_declined: bool,
    /// Nobody pays real money.
    is_test: bool,
}

impl PaymentPage {
    /// Without a script the page asks again by itself.
    fn reloads(&self) -> bool {
        matches!(self.step, PayStep::Waiting { .. } | PayStep::Checking)
    }
}

/// How the buyer comes back from Stripe. It is never believed: Stripe is asked.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ReturnQuery {
    paid: String,
    back: String,
}

/// `GET /bookings/{token}/payment`
pub async fn show(
    page: Page,
    app: web::Data<App>,
    token: web::Path<String>,
    Query(query): Query<ReturnQuery>,
) -> Result<HttpResponse, Error> {
    let payments = app.payments.as_ref().ok_or(Error::NotFound)?;
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let location = booking_page(&placed);
    let id = placed.booking.id;
    let comes_back = !query.paid.is_empty() || !query.back.is_empty();
    if comes_back && placed.booking.is_held() {
        let rung = app.db.write(move |db| {
            let now = db::clock(db)?;
            store::ring(db, id, now)
        });
        if rung.await? > 0 {
            payments.wakeup.notify();
        }
    }
    let found = app.db.read_primary(move |db| {
        let (hold, payment) = (store::hold_times(db, id)?, store::alive(db, id)?);
        let is_in_review = is_in_review(db, id)?;
        let before = match &payment {
            Some(payment) if payment.state == PaymentState::Wanted => store::place_in_queue(db, payment)?,
            _ => 0,
        };
        Ok((hold, payment, before, is_in_review))
    });
    let (Some(hold), payment, before, is_in_review) = found.await? else {
        return Ok(see_other(&location).finish());
    };
    let step = match &payment {
        _ if is_in_review => PayStep::Review,
        None => PayStep::Ready,
        Some(payment) if payment.state == PaymentState::Wanted => {
            PayStep::Waiting { seconds: before / i64::from(payments.per_second.max(1)) + 2 }
        }
        Some(_) if !query.paid.is_empty() => PayStep::Checking,
        Some(payment) => PayStep::Open { url: payment.session_url.clone().unwrap_or_default() },
    };
    let shown = of_hold(page.clone(), placed, hold, payment.as_ref(), step, !payments.live);
    page.respond_unlisted(StatusCode::OK, &shown)
}

fn of_hold(
    page: Page,
    placed: PlacedBooking,
    hold: HoldTimes,
    payment: Option<&Payment>,
    step: PayStep,
    is_test: bool,
) -> PaymentPage {
    let until = placed.event.local_time(&hold.end());
    let is_declined = payment.is_some_and(|payment| payment.declined.is_some());
    PaymentPage { page, placed, step, until, extensions_left: hold.extensions_left(), is_declined, is_test }
}

/// `POST /bookings/{token}/payment`: wants a page to pay on. Two tabs want the same one.
pub async fn create(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let payments = app.payments.as_ref().ok_or(Error::NotFound)?;
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let (id, live, per_second) = (placed.booking.id, payments.live, payments.per_second);
    let location = booking_page(&placed);
    match app.db.write(move |db| store::want(db, id, live, per_second)).await? {
        WantOutcome::Wanted(_) => {
            payments.wakeup.notify();
            Ok(see_other(&format!("{location}/payment")).finish())
        }
        WantOutcome::Alive(_) => Ok(see_other(&format!("{location}/payment")).finish()),
        WantOutcome::NotHeld | WantOutcome::Free => Ok(see_other(&location).finish()),
        WantOutcome::TooOften => {
            let toast = Toast::failure("This booking can’t be paid for any more. Please book again.");
            Ok(see_other_with(&app.cookies, &location, &toast))
        }
    }
}

/// `POST /bookings/{token}/extension`: more time to pay.
pub async fn extend(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let id = placed.booking.id;
    let location = format!("{}/payment", booking_page(&placed));
    let toast = match app.db.write(move |db| store::extend(db, id)).await? {
        ExtensionOutcome::Extended(hold) => {
            Toast::success(format!("Your tickets are held until {}.", placed.event.local_time(&hold.end())))
        }
        ExtensionOutcome::NoMore(hold) => {
            let until = placed.event.local_time(&hold.end());
            Toast::failure(format!("There is no more time to add. Your tickets are held until {until}."))
        }
        ExtensionOutcome::NotHeld => Toast::failure("The time to pay is over."),
    };
    Ok(see_other_with(&app.cookies, &location, &toast))
}

/// `POST /bookings/{token}/release`: the buyer does not want them. A page to pay on is closed first.
pub async fn release(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let location = booking_page(&placed);
    if !placed.booking.is_held() {
        return Ok(see_other(&location).finish());
    }
    let (booking, event_id) = (placed.booking.clone(), placed.event.id);
    let toast = match app.db.write(move |db| give_up_held(db, &booking, event_id)).await? {
        GivenUp::Released { stock } => {
            announce(&app.board, &app.desk, &app.outbox_wakeup, &stock);
            Toast::success("Your tickets are released.")
        }
        GivenUp::Closing => {
            if let Some(payments) = &app.payments {
                payments.wakeup.notify();
            }
            Toast::success("Your tickets are released as soon as nobody can pay for them any more.")
        }
        // Its page says what it is now.
        GivenUp::Kept => return Ok(see_other(&location).finish()),
    };
    Ok(see_other_with(&app.cookies, &location, &toast))
}

fn booking_page(placed: &PlacedBooking) -> String {
    format!("/bookings/{}", placed.booking.token)
}
