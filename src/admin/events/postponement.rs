//! `/admin/events/{slug}/postponement`: gives a concert another date. The old one stays visible. Holders are mailed.
//! They may give tickets back until a date that the organizer may set, whatever the cancellation deadline says.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::form::{FormFields, shown_version, status_of};
use super::{done, find_published};
use crate::app::App;
use crate::auth::access::Organizer;
use crate::auth::return_path::Resumed;
use crate::booking::cancellation::note::MESSAGE_LENGTH_MAX;
use crate::booking::event_jobs::{EventJobKind, HolderNotice, store as jobs};
use crate::error::Error;
use crate::events::Event;
use crate::events::editing::postponement::{self, POSTPONEMENT_FIELDS};
use crate::events::editing::store::acts;
use crate::events::editing::typed::TypedFields;
use crate::guard::form::Form;
use crate::page::Page;

#[derive(Template)]
#[template(path = "admin/events/postponement.html")]
struct PostponementPage {
    page: Page,
    event: Event,
    holders: i64,
    form: FormFields,
}

/// `GET /admin/events/{slug}/postponement`
pub async fn new(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, holders) = find_published(&app, &slug).await?;
    let form = FormFields::new(TypedFields::default(), event.facts_version);
    let shown = PostponementPage { page: page.clone(), event, holders, form };
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `POST /admin/events/{slug}/postponement`
pub async fn create(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Resumed(is_resumed): Resumed,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, holders) = find_published(&app, &slug).await?;
    let version = shown_version(&typed).unwrap_or(event.facts_version);
    let mut form = FormFields::new(TypedFields::default(), version);
    form.typed.fill_in(&POSTPONEMENT_FIELDS, &typed);
    let now = app.board.now();
    let read = postponement::read(&form.typed, &event, now);
    let (id, actor, before) = (event.id, admin.actor(), event.clone());
    let show = |status, form| {
        page.respond_unlisted(status, &PostponementPage { page: page.clone(), event, holders, form })
    };
    if is_resumed {
        return show(StatusCode::OK, form);
    }
    let postponed = match read {
        Ok(postponed) => postponed,
        Err(faults) => {
            form.faults = faults;
            return show(StatusCode::UNPROCESSABLE_ENTITY, form);
        }
    };
    let notice = HolderNotice {
        is_postponed: true,
        was_at: Some(before.local_time(&before.starts_at)),
        was_in: None,
        doors_were: None,
        message: postponed.message.clone(),
    };
    let write = app.db.write(move |db| {
        let changed = acts::postpone(db, id, version, &postponed, &actor)?;
        if changed.is_ok() {
            jobs::start(db, id, EventJobKind::Notice, Some(&notice), &notice.message, &actor)?;
        }
        Ok(changed)
    });
    match write.await? {
        Ok(event) => done(&app, &event.slug, "Postponed. Holders are being emailed.").await,
        Err(refusal) => {
            form.refuse(&refusal);
            show(status_of(&refusal), form)
        }
    }
}
