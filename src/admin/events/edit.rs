//! `/admin/events/{slug}/edit`: changes a concert.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::form::{FormFields, shown_version, status_of};
use super::{announce, find};
use crate::app::App;
use crate::auth::return_path::Resumed;
use crate::auth::session::Admin;
use crate::booking::cancellation::note::{MESSAGE_LENGTH_MAX, parse_message};
use crate::booking::event_jobs::{EventJobKind, HolderNotice, store as jobs};
use crate::error::Error;
use crate::events::editing::event_fields::{self, EVENT_BOXES, EVENT_FIELDS};
use crate::events::editing::store;
use crate::events::{Event, EventState};
use crate::guard::form::Form;
use crate::page::{Page, Toast, see_other, toast_cookie};

/// The form of a new concert and of one that there is.
#[derive(Template)]
#[template(path = "admin/events/form.html")]
pub struct EventFormPage {
    page: Page,
    /// `None`: a new one.
    event: Option<Event>,
    /// The one that is copied.
    copied: Option<Event>,
    form: FormFields,
    /// Whom the change touches: how many people hold tickets, and what is other for them.
    touched: Option<(i64, String)>,
    /// What the organizer writes to them.
    message: String,
}

impl EventFormPage {
    #[must_use]
    pub fn new(page: Page, event: Option<Event>, copied: Option<Event>, form: FormFields) -> Self {
        Self { page, event, copied, form, touched: None, message: String::new() }
    }

    fn title(&self) -> String {
        match (&self.event, &self.copied) {
            (Some(event), _) => format!("Edit {}", event.name),
            (None, Some(copied)) => format!("Copy {}", copied.name),
            (None, None) => "New concert".to_owned(),
        }
    }

    fn action(&self) -> String {
        self.event.as_ref().map_or("/admin/events/new".into(), |it| format!("/admin/events/{}/edit", it.slug))
    }

    /// Where the page above is.
    fn parent(&self) -> String {
        let above = self.event.as_ref().or(self.copied.as_ref());
        above.map_or("/admin/events".into(), |it| format!("/admin/events/{}", it.slug))
    }
}

/// `GET /admin/events/{slug}/edit`
pub async fn edit(
    page: Page,
    _: Admin,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, &slug).await?;
    let fields = FormFields::new(event_fields::of(&event), event.facts_version);
    page.clone().respond_unlisted(StatusCode::OK, &EventFormPage::new(page, Some(event), None, fields))
}

/// `POST /admin/events/{slug}/edit`
pub async fn update(
    page: Page,
    admin: Admin,
    app: web::Data<App>,
    slug: web::Path<String>,
    Resumed(is_resumed): Resumed,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, &slug).await?;
    let mut fields = FormFields::new(event_fields::of(&event), event.facts_version);
    fields.typed.fill_in(&EVENT_FIELDS, &typed);
    fields.typed.fill_in_boxes(&EVENT_BOXES, &typed);
    let shown = shown_version(&typed);
    fields.version = shown.unwrap_or(event.facts_version);
    let show = |status, fields| {
        let form = EventFormPage::new(page.clone(), Some(event.clone()), None, fields);
        page.respond_unlisted(status, &form)
    };
    if is_resumed {
        return show(StatusCode::OK, fields);
    }
    let facts = match event_fields::read(&fields.typed, Some(&event), app.board.now()) {
        Ok(facts) => facts,
        Err(faults) => {
            fields.faults = faults;
            return show(StatusCode::UNPROCESSABLE_ENTITY, fields);
        }
    };
    let (actor, id) = (admin.actor(), event.id);
    let message = parse_message(typed.get("message").map_or("", String::as_str));
    let is_sold = event.state == EventState::Published && !event.is_over(app.board.now());
    let mut notice = if is_sold { HolderNotice::of_change(&event, &facts) } else { None };
    if let Some(change) = &notice {
        let answer = typed.get("notify").map_or("", String::as_str);
        let holders = app.db.read_primary(move |db| jobs::holders(db, id)).await?;
        if holders > 0 && (!matches!(answer, "yes" | "no") || message.is_err()) {
            if let Err(fault) = &message {
                fields.faults.add("message", fault.clone());
            }
            let status = if message.is_ok() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            let form = EventFormPage {
                touched: Some((holders, change.words())),
                message: typed.get("message").cloned().unwrap_or_default(),
                ..EventFormPage::new(page.clone(), Some(event), None, fields)
            };
            return page.respond_unlisted(status, &form);
        }
        if answer != "yes" || holders == 0 {
            notice = None;
        }
    }
    let notice = notice.map(|it| HolderNotice { message: message.unwrap_or_default(), ..it });
    let write = app.db.write(move |db| {
        let changed = store::update(db, id, shown, &facts, &actor)?;
        if let (Ok(_), Some(notice)) = (&changed, &notice) {
            jobs::start(db, id, EventJobKind::Notice, Some(notice), &notice.message, &actor)?;
        }
        Ok(changed)
    });
    match write.await? {
        Ok(changed) => {
            announce(&app).await?;
            Ok(saved(&app, &changed))
        }
        Err(refusal) => {
            fields.refuse(&refusal);
            show(status_of(&refusal), fields)
        }
    }
}

/// Back to the concert's page, which says that it is saved.
fn saved(app: &App, changed: &Event) -> HttpResponse {
    let toast = Toast::success(match changed.state {
        EventState::Draft => "Draft saved.",
        _ => "Saved. Buyers see it now.",
    });
    let location = format!("/admin/events/{}", changed.slug);
    see_other(&location).cookie(toast_cookie(&app.cookies, &toast)).finish()
}
