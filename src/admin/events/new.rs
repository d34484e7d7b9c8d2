//! `/admin/events/new`: creates a concert, from nothing or as a copy of another one.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::edit::{EventFormPage, read};
use super::find;
use super::form::{FormFields, status_of};
use super::picture_form::{self, SentEvent};
use crate::app::App;
use crate::auth::access::Organizer;
use crate::auth::return_path::Resumed;
use crate::error::Error;
use crate::events::Event;
use crate::events::editing::event_fields::{self, EVENT_BOXES, EVENT_FIELDS};
use crate::events::editing::store;
use crate::guard::form::Query;
use crate::page::{Page, Toast, see_other_with};

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct NewEventQuery {
    /// The slug of the concert that is copied.
    from: String,
}

/// `GET /admin/events/new?from=midnight-parade`
pub async fn new(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    Query(query): Query<NewEventQuery>,
) -> Result<HttpResponse, Error> {
    let copied = find_copied(&app, &query.from).await?;
    let fields = blank(&app, copied.as_ref()).await?;
    let form = EventFormPage::new(page.clone(), None, copied, fields);
    page.respond_unlisted(StatusCode::OK, &form)
}

/// `POST /admin/events/new`
pub async fn create(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    Resumed(is_resumed): Resumed,
    mut sent: SentEvent,
) -> Result<HttpResponse, Error> {
    let copied = find_copied(&app, sent.typed.get("from").map_or("", String::as_str)).await?;
    let mut fields = blank(&app, copied.as_ref()).await?;
    fields.typed.fill_in(&EVENT_FIELDS, &sent.typed);
    fields.typed.fill_in_boxes(&EVENT_BOXES, &sent.typed);
    let show = |status, fields| {
        let form = EventFormPage::new(page.clone(), None, copied.clone(), fields);
        page.respond_unlisted(status, &form)
    };
    if is_resumed {
        return show(StatusCode::OK, fields);
    }
    let facts = match read(&app, &fields.typed, None, &[]) {
        Ok(facts) => facts,
        Err(faults) => {
            fields.faults = faults;
            sent.ask_again(&mut fields.faults);
            return show(StatusCode::UNPROCESSABLE_ENTITY, fields);
        }
    };
    let (actor, source) = (admin.actor(), copied.clone());
    let picture = match sent.picture().await? {
        Ok(picture) => picture,
        Err(fault) => return show(picture_form::mark(&mut fields.faults, fault), fields),
    };
    let write = app.db.write(move |db| {
        let created = store::create(db, &facts, source.as_ref(), &actor)?;
        if let Ok(event) = &created {
            store::pictures::apply(db, event.id, &picture)?;
        }
        Ok(created)
    });
    match write.await? {
        Ok(event) => {
            let toast = Toast::success("Draft saved. Only organizers see it until you publish it.");
            Ok(see_other_with(&app.cookies, &format!("/admin/events/{}", event.slug), &toast))
        }
        Err(refusal) => {
            fields.refuse(&refusal);
            show(status_of(&refusal), fields)
        }
    }
}

async fn find_copied(app: &App, slug: &str) -> Result<Option<Event>, Error> {
    if slug.is_empty() {
        return Ok(None);
    }
    let (event, _) = find(app, slug).await?;
    Ok(Some(event))
}

async fn blank(app: &App, copied: Option<&Event>) -> Result<FormFields, Error> {
    let mut typed = match copied {
        Some(copied) => event_fields::copy_of(copied),
        None => event_fields::blank(app.db.read_primary(store::latest).await?.as_ref()),
    };
    let box_office = app.box_office.now();
    if typed.value("organizer_name").is_empty() && typed.value("organizer_contact").is_empty() {
        typed.set("organizer_name", box_office.name.as_str());
        typed.set("organizer_contact", box_office.contact.as_str());
    }
    Ok(FormFields::new(typed, 0))
}
