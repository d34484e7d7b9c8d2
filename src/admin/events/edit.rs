//! `/admin/events/{slug}/edit`: changes a concert.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::form::{FormFields, shown_version, status_of};
use super::picture_form::{self, SentEvent};
use super::{done, find};
use crate::app::App;
use crate::auth::access::Organizer;
use crate::auth::return_path::Resumed;
use crate::booking::cancellation::note::{MESSAGE_LENGTH_MAX, parse_message};
use crate::booking::event_jobs::{EventJobKind, HolderNotice, store as jobs};
use crate::error::Error;
use crate::events::editing::event_fields::{self, EVENT_BOXES, EVENT_FIELDS, EventFacts};
use crate::events::editing::publication::prices;
use crate::events::editing::{FieldFaults, TypedFields, store};
use crate::events::{Event, EventState};
use crate::page::Page;

/// The form for a new concert and for an existing one.
#[derive(Template)]
#[template(path = "admin/events/form.html")]
pub struct EventFormPage {
    page: Page,
    /// `None`: a new one.
    event: Option<Event>,
    /// The one that is copied.
    copied: Option<Event>,
    form: FormFields,
    /// Whom the change affects: how many people hold tickets, and what changes for them.
    affected: Option<(i64, String)>,
    /// What the organizer writes to them.
    message: String,
}

impl EventFormPage {
    #[must_use]
    pub fn new(page: Page, event: Option<Event>, copied: Option<Event>, form: FormFields) -> Self {
        Self { page, event, copied, form, affected: None, message: String::new() }
    }

    /// The concert that is changed or copied. The form shows its picture.
    fn shown(&self) -> Option<&Event> {
        self.event.as_ref().or(self.copied.as_ref())
    }

    fn has_own_picture(&self) -> bool {
        self.event.as_ref().is_some_and(|event| event.image.is_some())
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

    /// The address of the page above.
    fn parent(&self) -> String {
        self.shown().map_or("/admin/events".into(), |it| format!("/admin/events/{}", it.slug))
    }
}

/// `GET /admin/events/{slug}/edit`
pub async fn edit(
    page: Page,
    _: Organizer,
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
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Resumed(is_resumed): Resumed,
    mut sent: SentEvent,
) -> Result<HttpResponse, Error> {
    let (event, ticket_types) = find(&app, &slug).await?;
    let (mut fields, shown_version) = filled_in(&event, &sent.typed);
    let show = |status, fields| {
        let form = EventFormPage::new(page.clone(), Some(event.clone()), None, fields);
        page.respond_unlisted(status, &form)
    };
    if is_resumed {
        return show(StatusCode::OK, fields);
    }
    let facts = match read(&app, &fields.typed, Some(&event), &prices(&ticket_types)) {
        Ok(facts) => facts,
        Err(faults) => {
            fields.faults = faults;
            sent.ask_again(&mut fields.faults);
            return show(StatusCode::UNPROCESSABLE_ENTITY, fields);
        }
    };
    let (actor, id) = (admin.actor(), event.id);
    let notice = match notice_of(&app, &event, &facts, &sent.typed).await? {
        NoticeAnswer::Decided(notice) => notice,
        NoticeAnswer::Ask { holders, change, fault } => {
            let status = if fault.is_none() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            if let Some(fault) = fault {
                fields.faults.add("message", fault);
            }
            sent.ask_again(&mut fields.faults);
            let form = EventFormPage {
                affected: Some((holders, change)),
                message: sent.typed.get("message").cloned().unwrap_or_default(),
                ..EventFormPage::new(page.clone(), Some(event), None, fields)
            };
            return page.respond_unlisted(status, &form);
        }
    };
    let picture = match sent.picture().await? {
        Ok(picture) => picture,
        Err(fault) => return show(picture_form::mark(&mut fields.faults, fault), fields),
    };
    let write = app.db.write(move |db| {
        let changed = store::update(db, id, shown_version, &facts, &picture, &actor)?;
        if let (Ok(_), Some(notice)) = (&changed, &notice) {
            jobs::start(db, id, EventJobKind::Notice, Some(notice), &notice.message, &actor)?;
        }
        Ok(changed)
    });
    match write.await? {
        Ok(changed) => {
            let words = match changed.state {
                EventState::Draft => "Draft saved.",
                _ => "Saved. Buyers see it now.",
            };
            done(&app, &changed.slug, words).await
        }
        Err(refusal) => {
            fields.refuse(&refusal);
            show(status_of(&refusal), fields)
        }
    }
}

/// The form as it was sent, and the version of the concert that it was opened with.
fn filled_in(event: &Event, typed: &HashMap<String, String>) -> (FormFields, Option<i64>) {
    let version = shown_version(typed);
    let mut fields = FormFields::new(event_fields::of(event), version.unwrap_or(event.facts_version));
    fields.typed.fill_in(&EVENT_FIELDS, typed);
    fields.typed.fill_in_boxes(&EVENT_BOXES, typed);
    (fields, version)
}

/// Reads the fields. A way to pay that this site does not have is a fault of its field. `prices`: those of
/// the concert's ticket types.
///
/// # Errors
/// What is wrong, by field.
pub fn read(
    app: &App,
    typed: &TypedFields,
    before: Option<&Event>,
    prices: &[i64],
) -> Result<EventFacts, FieldFaults> {
    app.check_payment(event_fields::read(typed, before, app.board.now())?, prices)
}

/// Whether holders are to be told of a change.
enum NoticeAnswer {
    /// What they are told; `None`: nothing.
    Decided(Option<HolderNotice>),
    /// The organizer is asked first, or has written something that cannot be sent.
    Ask {
        holders: i64,
        /// What changes for them.
        change: String,
        fault: Option<String>,
    },
}

async fn notice_of(
    app: &App,
    event: &Event,
    facts: &EventFacts,
    typed: &HashMap<String, String>,
) -> Result<NoticeAnswer, Error> {
    let is_sold = event.state == EventState::Published && !event.is_over(app.board.now());
    let change = if is_sold { HolderNotice::of_change(event, facts) } else { None };
    let Some(change) = change else { return Ok(NoticeAnswer::Decided(None)) };
    let id = event.id;
    let holders = app.db.read_primary(move |db| jobs::holders(db, id)).await?;
    let field = |name: &str| typed.get(name).map_or("", String::as_str);
    Ok(match (holders, field("notify"), parse_message(field("message"))) {
        (0, ..) | (_, "no", _) => NoticeAnswer::Decided(None),
        (_, "yes", Ok(message)) => NoticeAnswer::Decided(Some(HolderNotice { message, ..change })),
        (_, _, message) => NoticeAnswer::Ask { holders, change: change.words(), fault: message.err() },
    })
}
