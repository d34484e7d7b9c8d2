//! `/bookings/find`, `/bookings?link=…`, `/bookings`

use actix_web::http::StatusCode;
use actix_web::http::header::REFERRER_POLICY;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use super::{ANSWER_AFTER, LINK_LIFETIME, PAUSE, link, store};
use crate::app::App;
use crate::booking::buyer::{Buyer, parse_email, shown_email};
use crate::booking::{PlacedBooking, messages};
use crate::error::Error;
use crate::guard::form::{Form, Query};
use crate::page::{Page, html, see_other};

#[derive(Template)]
#[template(path = "bookings/find.html")]
struct FindBookingsPage {
    page: Page,
    email: String,
    error: Option<String>,
    /// Whether a link that has expired has led here.
    link_is_over: bool,
    has_asked: bool,
}

impl FindBookingsPage {
    fn lifetime_minutes(&self) -> i64 {
        LINK_LIFETIME.num_minutes()
    }

    fn pause_minutes(&self) -> i64 {
        PAUSE.num_minutes()
    }
}

#[derive(Template)]
#[template(path = "bookings/index.html")]
struct BookingListPage {
    page: Page,
    email: String,
    found: Vec<PlacedBooking>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct FindBookingsQuery {
    /// Whether the form was sent a moment ago.
    asked: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct LookupForm {
    email: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct BookingListQuery {
    link: String,
}

/// `GET /bookings/find`: the form, and what is said once it was sent.
pub async fn new(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    Query(query): Query<FindBookingsQuery>,
) -> Result<HttpResponse, Error> {
    let email =
        Buyer::remembered(&app.cookies, &request).map(|buyer| buyer.shown_email()).unwrap_or_default();
    let has_asked = !query.asked.is_empty();
    let new = FindBookingsPage { page: page.clone(), email, error: None, link_is_over: false, has_asked };
    page.respond_unlisted(StatusCode::OK, &new)
}

/// `POST /bookings/find`: gives the same answer to every valid address, after the same time.
pub async fn create(
    page: Page,
    app: web::Data<App>,
    Form(form): Form<LookupForm>,
) -> Result<HttpResponse, Error> {
    let answer_at = Instant::now() + ANSWER_AFTER;
    let typed = form.email;
    let email = match parse_email(&typed) {
        Ok(email) => email,
        Err(error) => {
            let error = Some(messages::email(error));
            let new = FindBookingsPage {
                page: page.clone(),
                email: typed,
                error,
                link_is_over: false,
                has_asked: false,
            };
            return page.respond_unlisted(StatusCode::UNPROCESSABLE_ENTITY, &new);
        }
    };
    app.db.write(move |db| store::ask(db, &email)).await?;
    app.outbox_wakeup.notify();
    sleep_until(answer_at).await;
    Ok(see_other("/bookings/find?asked=1").finish())
}

/// `GET /bookings?link=…` opens the link in this browser; `GET /bookings` lists the bookings of its address. Without a
/// link there is no list.
pub async fn index(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    Query(query): Query<BookingListQuery>,
) -> Result<HttpResponse, Error> {
    if query.link.is_empty() {
        return list(page, &app, app.booking_links.opened(&app.cookies, &request)).await;
    }
    if app.booking_links.open(&query.link, Utc::now()).is_none() {
        let new = FindBookingsPage {
            page: page.clone(),
            email: String::new(),
            error: None,
            link_is_over: true,
            has_asked: false,
        };
        return page.respond_unlisted(StatusCode::NOT_FOUND, &new);
    }
    let cookie = link::cookie(&app.cookies, &query.link);
    Ok(see_other("/bookings").cookie(cookie).insert_header((REFERRER_POLICY, "no-referrer")).finish())
}

async fn list(page: Page, app: &App, email: Option<String>) -> Result<HttpResponse, Error> {
    let Some(email) = email else { return Ok(see_other("/bookings/find").finish()) };
    let wanted = email.clone();
    let found = app.db.read_primary(move |db| store::find_by_email(db, &wanted)).await?;
    let mut response = page.unlisted_builder(StatusCode::OK);
    response.insert_header((REFERRER_POLICY, "no-referrer"));
    let index = BookingListPage { page, email: shown_email(&email), found };
    Ok(response.body(html(&index)?))
}
