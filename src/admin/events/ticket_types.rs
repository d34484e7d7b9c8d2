//! `/admin/events/{slug}/ticket-types`: adds, changes, moves, pauses and hides a concert's ticket types.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::form::{FormFields, shown_version, status_of};
use super::show::AdminEventPage;
use super::{done, find};
use crate::app::App;
use crate::auth::access::Organizer;
use crate::auth::return_path::Resumed;
use crate::auth::session::Admin;
use crate::error::Error;
use crate::events::editing::store::ticket_types as store;
use crate::events::editing::ticket_type_fields::{
    self, ACCENTS, ICONS, TICKET_TYPE_BOXES, TICKET_TYPE_FIELDS,
};
use crate::events::{Event, TicketType, TicketTypeState};
use crate::guard::form::Form;
use crate::page::Page;

#[derive(Template)]
#[template(path = "admin/events/ticket_type.html")]
struct TicketTypePage {
    page: Page,
    event: Event,
    /// `None`: a new one.
    ticket_type: Option<TicketType>,
    form: FormFields,
}

impl TicketTypePage {
    fn action(&self) -> String {
        let id = self.ticket_type.as_ref().map_or("new".to_owned(), |it| it.id.to_string());
        format!("/admin/events/{}/ticket-types/{id}", self.event.slug)
    }

    /// Tickets that are sold or held.
    fn taken(&self) -> i32 {
        self.ticket_type.as_ref().map_or(0, |it| it.capacity - it.available)
    }
}

/// `GET /admin/events/{slug}/ticket-types/new`
pub async fn new(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, &slug).await?;
    let form = FormFields::new(ticket_type_fields::blank(), 0);
    let shown = TicketTypePage { page: page.clone(), event, ticket_type: None, form };
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `POST /admin/events/{slug}/ticket-types/new`
pub async fn create(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Resumed(is_resumed): Resumed,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, &slug).await?;
    let form = FormFields::new(ticket_type_fields::blank(), 0);
    save(page, &admin, &app, (event, None), is_resumed, form, typed).await
}

/// `GET /admin/events/{slug}/ticket-types/{id}`
pub async fn edit(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    path: web::Path<(String, i64)>,
) -> Result<HttpResponse, Error> {
    let (event, ticket_type) = find_type(&app, path.into_inner()).await?;
    let form = FormFields::new(ticket_type_fields::of(&ticket_type, &event), ticket_type.facts_version);
    let shown = TicketTypePage { page: page.clone(), event, ticket_type: Some(ticket_type), form };
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `POST /admin/events/{slug}/ticket-types/{id}`
pub async fn update(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    path: web::Path<(String, i64)>,
    Resumed(is_resumed): Resumed,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, ticket_type) = find_type(&app, path.into_inner()).await?;
    let mut form = FormFields::new(ticket_type_fields::of(&ticket_type, &event), ticket_type.facts_version);
    form.version = shown_version(&typed).unwrap_or(ticket_type.facts_version);
    save(page, &admin, &app, (event, Some(ticket_type)), is_resumed, form, typed).await
}

/// Reads what was typed, and adds the ticket type or changes it.
async fn save(
    page: Page,
    admin: &Admin,
    app: &App,
    (event, ticket_type): (Event, Option<TicketType>),
    is_resumed: bool,
    mut form: FormFields,
    typed: HashMap<String, String>,
) -> Result<HttpResponse, Error> {
    form.typed.fill_in(&TICKET_TYPE_FIELDS, &typed);
    form.typed.fill_in_boxes(&TICKET_TYPE_BOXES, &typed);
    let (event_id, id, actor) = (event.id, ticket_type.as_ref().map(|it| it.id), admin.actor());
    let slug = event.slug.clone();
    let read = ticket_type_fields::read(&form.typed, &event);
    let read = read.and_then(|facts| app.check_price(&event, facts));
    let show = |status, form| {
        page.respond_unlisted(status, &TicketTypePage { page: page.clone(), event, ticket_type, form })
    };
    if is_resumed {
        return show(StatusCode::OK, form);
    }
    let facts = match read {
        Ok(facts) => facts,
        Err(faults) => {
            form.faults = faults;
            return show(StatusCode::UNPROCESSABLE_ENTITY, form);
        }
    };
    let (shown, name) = (shown_version(&typed), facts.name.clone());
    let saved = app.db.write(move |db| match id {
        Some(id) => store::update(db, (event_id, id), shown, &facts, &actor),
        None => Ok(store::create(db, event_id, &facts, &actor)?.map(|_| ())),
    });
    if let Err(refusal) = saved.await? {
        form.refuse(&refusal);
        return show(status_of(&refusal), form);
    }
    done(app, &slug, if id.is_some() { format!("{name} saved.") } else { format!("{name} added.") }).await
}

/// `POST /admin/events/{slug}/ticket-types/{id}/state`, with `state=on_sale`, `paused` or `hidden`.
pub async fn set_state(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    path: web::Path<(String, i64)>,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, ticket_type) = find_type(&app, path.into_inner()).await?;
    let state = typed.get("state").and_then(|state| TicketTypeState::parse(state)).ok_or_else(|| {
        Error::Unreadable("state must be on_sale, paused or hidden".into(), StatusCode::UNPROCESSABLE_ENTITY)
    })?;
    let (actor, ids) = (admin.actor(), (event.id, ticket_type.id));
    let set = app.db.write(move |db| store::set_state(db, ids, state, &actor)).await?.map(|_| ());
    let words = match state {
        TicketTypeState::OnSale => "on sale",
        TicketTypeState::Paused => "paused",
        TicketTypeState::Hidden => "hidden",
    };
    finish(page, &app, &event.slug, set.is_err(), format!("{} is {words} now.", ticket_type.name)).await
}

/// `POST /admin/events/{slug}/ticket-types/{id}/position`, with `position=2`.
pub async fn move_to(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    path: web::Path<(String, i64)>,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, ticket_type) = find_type(&app, path.into_inner()).await?;
    let place = typed.get("position").and_then(|place| place.parse().ok()).filter(|place| *place > 0);
    let place: usize = place.ok_or_else(|| {
        Error::Unreadable("position must be a number from 1".into(), StatusCode::UNPROCESSABLE_ENTITY)
    })?;
    let (actor, ids) = (admin.actor(), (event.id, ticket_type.id));
    let moved = app.db.write(move |db| store::move_to(db, ids, place, &actor)).await?;
    finish(page, &app, &event.slug, moved.is_err(), format!("{} moved.", ticket_type.name)).await
}

/// Leads back to the concert, whose page says so if the change was refused.
async fn finish(
    page: Page,
    app: &App,
    slug: &str,
    is_refused: bool,
    words: String,
) -> Result<HttpResponse, Error> {
    if is_refused {
        let (event, ticket_types) = find(app, slug).await?;
        let shown = AdminEventPage::new(page.clone(), app, event, ticket_types);
        let shown = shown.refused("A canceled or archived concert can’t be changed.");
        return page.respond_unlisted(StatusCode::CONFLICT, &shown);
    }
    done(app, &format!("{slug}#ticket-types"), words).await
}

async fn find_type(app: &App, (slug, id): (String, i64)) -> Result<(Event, TicketType), Error> {
    let (event, ticket_types) = find(app, &slug).await?;
    let ticket_type = ticket_types.into_iter().find(|it| it.id == id).ok_or(Error::NotFound)?;
    Ok((event, ticket_type))
}
