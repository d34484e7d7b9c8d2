//! What a buyer does with held tickets: `POST` to `/bookings/{token}/payment`, `/bookings/{token}/extension` and
//! `/bookings/{token}/release`.
//!
//! A page of ours stands between our form and Stripe's page: browsers apply `form-action` to redirects after a post,
//! and ours stays `'self'`. So the way out is a link. It works without a script.

use actix_web::{HttpResponse, web};

use super::store::returns::{GivenUp, give_up_held};
use super::store::{self, ExtensionOutcome, WantOutcome};
use crate::app::App;
use crate::booking::PlacedBooking;
use crate::booking::pages::find_placed_booking;
use crate::booking::release::announce;
use crate::error::Error;
use crate::page::{Toast, see_other, see_other_with};

/// Tells the script of the page that its buyer has just asked to pay: it goes to the payment page as soon as there is
/// one. The worker may be faster than the browser, which then never sees the page waiting.
const GO_TO_PAYMENT: &str = "#pay";

/// `POST /bookings/{token}/payment`: asks for a payment page. Two tabs get the same one.
pub async fn create(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let payments = app.payments.as_ref().ok_or(Error::NotFound)?;
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let (id, live, per_second) = (placed.booking.id, payments.live, payments.per_second);
    let location = booking_page(&placed);
    let waiting = format!("{location}/payment{GO_TO_PAYMENT}");
    match app.db.write(move |db| store::want(db, id, live, per_second)).await? {
        WantOutcome::Wanted(_) => {
            payments.wakeup.notify();
            Ok(see_other(&waiting).finish())
        }
        WantOutcome::Alive(_) => Ok(see_other(&waiting).finish()),
        WantOutcome::NotHeld | WantOutcome::Free => Ok(see_other(&location).finish()),
        WantOutcome::TooOften => {
            let toast = Toast::failure("This booking can no longer be paid for. Please book again.");
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
            Toast::failure(format!("You’ve used all your extra time. Your tickets are held until {until}."))
        }
        ExtensionOutcome::NotHeld => Toast::failure("Your time to pay has run out."),
    };
    Ok(see_other_with(&app.cookies, &location, &toast))
}

/// `POST /bookings/{token}/release`: the buyer gives the tickets up. If there is a payment page, it is
/// closed first.
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
            Toast::success("Your tickets will be released as soon as their payment page is closed.")
        }
        // The booking's page says what its state is now.
        GivenUp::Kept => return Ok(see_other(&location).finish()),
    };
    Ok(see_other_with(&app.cookies, &location, &toast))
}

fn booking_page(placed: &PlacedBooking) -> String {
    format!("/bookings/{}", placed.booking.token)
}
