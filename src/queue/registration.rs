//! `/events/{slug}/queue/registration`: a place by email, where the organizer gives one place to each address. The link
//! in the mail leads to the place, as the links in [`super::place_link`] do.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use tokio::time::{Duration, Instant, sleep_until};

use super::pages::{AddressField, find, respond};
use super::registered_place::RegisteredPlace;
use super::store::registrations;
use super::{QueuePlace, rooms};
use crate::app::App;
use crate::booking::buyer::parse_email;
use crate::booking::messages;
use crate::error::Error;
use crate::guard::form::Form;
use crate::page::{Page, see_other};

/// The answer to an address takes this long, whether the address is registered or not.
const ANSWER_AFTER: Duration = Duration::from_millis(400);

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RegistrationForm {
    email: String,
}

/// `POST /events/{slug}/queue/registration`: gives the same answer to every valid address, after the same
/// time.
pub async fn create(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    slug: web::Path<String>,
    Form(form): Form<RegistrationForm>,
) -> Result<HttpResponse, Error> {
    let answer_at = Instant::now() + ANSWER_AFTER;
    let listing = app.board.find_by_slug(&slug).ok_or(Error::NotFound)?;
    let room_path = format!("/events/{}/queue", listing.event.slug);
    let Some((open, phase)) = find(&app, &listing).filter(|(open, _)| open.room.registration) else {
        return Ok(see_other(&room_path).finish());
    };
    let email = match parse_email(&form.email) {
        Ok(email) => email,
        Err(error) => {
            let error = Some(messages::email(error));
            let address = AddressField { email: form.email, error, has_asked: false };
            let found = (listing, open, phase);
            return respond(&request, page, &app, found, address, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    let sale_start = rooms::sale_start(&listing);
    let place = QueuePlace::generate(open.room.arrival(sale_start, app.board.now()));
    let registered = RegisteredPlace::new(&open, &listing, &place);
    app.db.write(move |db| registrations::register(db, &registered, &email)).await?;
    app.outbox_wakeup.notify();
    sleep_until(answer_at).await;
    Ok(see_other(&format!("{room_path}?asked=1")).finish())
}
