//! `/admin/events/{slug}/cancellation`: cancels a concert. The sale is off at once; then every booking is ended and
//! every holder mailed.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::form::{FormFields, shown_version, status_of};
use super::{done, find_published};
use crate::app::App;
use crate::auth::access::Organizer;
use crate::auth::return_path::Resumed;
use crate::booking::cancellation::note::{MESSAGE_LENGTH_MAX, parse_message};
use crate::booking::event_jobs::{EventJobKind, store as jobs};
use crate::error::Error;
use crate::events::Event;
use crate::events::editing::store::acts;
use crate::events::editing::typed::TypedFields;
use crate::guard::form::Form;
use crate::page::Page;

const FIELDS: [&str; 2] = ["event_name", "message"];

#[derive(Template)]
#[template(path = "admin/events/cancellation.html")]
struct EventCancellationPage {
    page: Page,
    event: Event,
    holders: i64,
    form: FormFields,
}

/// `GET /admin/events/{slug}/cancellation`
pub async fn new(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, holders) = find_published(&app, &slug).await?;
    let form = FormFields::new(TypedFields::default(), event.facts_version);
    let shown = EventCancellationPage { page: page.clone(), event, holders, form };
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `POST /admin/events/{slug}/cancellation`
pub async fn create(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Resumed(is_resumed): Resumed,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, holders) = find_published(&app, &slug).await?;
    let shown = shown_version(&typed);
    let mut form = FormFields::new(TypedFields::default(), shown.unwrap_or(event.facts_version));
    form.typed.fill_in(&FIELDS, &typed);
    let show = |status, event, form| {
        page.respond_unlisted(status, &EventCancellationPage { page: page.clone(), event, holders, form })
    };
    if is_resumed {
        return show(StatusCode::OK, event, form);
    }
    if form.value("event_name").trim() != event.name {
        form.faults.add("event_name", "That’s not the concert’s name. Nothing was canceled.");
    }
    let message = parse_message(form.value("message")).unwrap_or_else(|fault| {
        form.faults.add("message", fault);
        String::new()
    });
    if !form.faults.is_empty() {
        return show(StatusCode::UNPROCESSABLE_ENTITY, event, form);
    }
    let (id, actor) = (event.id, admin.actor());
    let write = app.db.write(move |db| {
        let canceled = acts::cancel(db, id, shown, &actor)?;
        if canceled == Ok(true) {
            jobs::start(db, id, EventJobKind::Cancellation, None, &message, &actor)?;
        }
        Ok(canceled)
    });
    if let Err(refusal) = write.await? {
        form.refuse(&refusal);
        return show(status_of(&refusal), event, form);
    }
    done(&app, &event.slug, "Canceled. Sales have stopped, and bookings are being canceled.").await
}
