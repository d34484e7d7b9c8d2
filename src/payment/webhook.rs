//! `/webhooks/stripe`: what Stripe tells. The request only keeps the event, once, and wakes the worker.

use std::num::NonZeroU32;

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use chrono::Utc;

use super::signature::{self, SignatureError};
use super::store::inbox;
use super::stripe::event::EventObject;
use crate::app::App;
use crate::db::clock;
use crate::error::Error;
use crate::log_limit::{LineLimit, a_minute};

/// The most log lines about refused webhooks in a minute: anybody can send webhooks.
const REFUSALS_A_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();
static REFUSALS: LineLimit = LineLimit::new(|| a_minute(REFUSALS_A_MINUTE));

/// `POST /webhooks/stripe`. Stripe sends an event again, for three days, until it is answered with 200: so
/// the answer is 200 only after the commit, and also for events that nobody here follows.
pub async fn receive(request: HttpRequest, app: web::Data<App>, body: Bytes) -> Result<HttpResponse, Error> {
    let payments = app.payments.as_ref().ok_or(Error::NotFound)?;
    let header = request.headers().get(signature::HEADER).and_then(|value| value.to_str().ok());
    let now = Utc::now().timestamp();
    if let Err(why) = signature::verify(header.unwrap_or_default(), &body, &payments.webhook_secrets, now) {
        return Ok(refuse(why));
    }
    let Ok(event) = serde_json::from_slice::<EventObject>(&body) else {
        log::error!("cannot parse a Stripe event: the webhook endpoint uses another version of the API");
        return Ok(answer(StatusCode::BAD_REQUEST, "not an event"));
    };
    if let Some(event) = event.to_keep() {
        app.db
            .write(move |db| {
                let now = clock(db)?;
                inbox::receive(db, &event, now)
            })
            .await?;
        payments.wakeup.notify();
    }
    Ok(answer(StatusCode::OK, "kept"))
}

fn refuse(why: SignatureError) -> HttpResponse {
    let what = match why {
        SignatureError::Malformed => "not signed by Stripe",
        SignatureError::Forged => {
            "signed with another secret than STRIPE_WEBHOOK_SECRET, or the body was changed"
        }
        SignatureError::OtherTime => "more than five minutes old, or the clock is wrong",
    };
    if REFUSALS.is_due() {
        let more = REFUSALS.take_left_out();
        log::warn!("a webhook was refused ({more} more since the last line): {what}");
    }
    answer(StatusCode::BAD_REQUEST, what)
}

fn answer(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/plain; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(text)
}
