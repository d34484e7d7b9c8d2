//! `/emails?link=…`: stops the mails to an address, or allows them again.

use actix_web::http::StatusCode;
use actix_web::http::header::REFERRER_POLICY;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::store;
use crate::app::App;
use crate::booking::buyer::shown_email;
use crate::db;
use crate::error::Error;
use crate::guard::form::{Form, Query};
use crate::page::{Page, html, see_other};

#[derive(Template)]
#[template(path = "bookings/emails.html")]
struct EmailsPage {
    page: Page,
    email: String,
    link: String,
    is_stopped: bool,
}

impl EmailsPage {
    fn days(&self) -> i64 {
        super::STOPPED_FOR.num_days()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct EmailsQuery {
    link: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct EmailsForm {
    link: String,
    /// `stop`, or empty to allow them.
    choice: String,
}

/// `GET /emails?link=…`: changes nothing, because mail programs open links too.
pub async fn show(
    page: Page,
    app: web::Data<App>,
    Query(query): Query<EmailsQuery>,
) -> Result<HttpResponse, Error> {
    let email = app.suppression_links.open(&query.link).ok_or(Error::NotFound)?;
    let shown = shown_email(&email);
    let stopped = app.db.read_primary(move |db| {
        let now = db::clock(db)?;
        store::among(db, [email.as_str()].into_iter(), now)
    });
    let is_stopped = !stopped.await?.is_empty();
    let mut response = page.unlisted_builder(StatusCode::OK);
    response.insert_header((REFERRER_POLICY, "no-referrer"));
    Ok(response.body(html(&EmailsPage { page, email: shown, link: query.link, is_stopped })?))
}

/// `POST /emails`
pub async fn update(app: web::Data<App>, Form(form): Form<EmailsForm>) -> Result<HttpResponse, Error> {
    let email = app.suppression_links.open(&form.link).ok_or(Error::NotFound)?;
    let is_stop = form.choice == "stop";
    let change = move |db: &mut db::Db| {
        if is_stop { store::stop(db, &email) } else { store::allow(db, &email) }
    };
    app.db.write(change).await?;
    Ok(see_other(&format!("/emails?link={}", form.link)).finish())
}
