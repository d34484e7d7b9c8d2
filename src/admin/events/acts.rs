//! What an organizer does to a concert with one button: publish, unpublish, pause and archive it.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::show::AdminEventPage;
use super::{done, find};
use crate::app::App;
use crate::auth::access::Organizer;
use crate::error::Error;
use crate::events::editing::store::acts::{self, ArchiveOutcome, PublicationOutcome, WithdrawalOutcome};
use crate::events::{Event, TicketType};
use crate::guard::form::Form;
use crate::page::Page;
use crate::payment::settings::Payments;

/// `POST /admin/events/{slug}/publication`
pub async fn publish(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, ticket_types) = find(&app, &slug).await?;
    let (actor, now, id) = (admin.actor(), app.board.now(), event.id);
    let account = app.payments.clone();
    let fault = move |event: &Event, prices: &[i64]| {
        Payments::fault_of(account.as_ref(), event.payment, &event.currency, prices)
    };
    match app.db.write(move |db| acts::publish(db, id, now, fault, &actor)).await? {
        PublicationOutcome::Published(event) => {
            done(&app, &event.slug, "Published. Everyone can see it now.").await
        }
        PublicationOutcome::Missing(event) => {
            let shown = AdminEventPage::new(page.clone(), &app, event, ticket_types);
            let shown = shown.refused("Not published yet: something is missing.");
            page.respond_unlisted(StatusCode::UNPROCESSABLE_ENTITY, &shown)
        }
        PublicationOutcome::Closed(event) => {
            let shown = AdminEventPage::new(page.clone(), &app, event, ticket_types);
            let shown = shown.refused("A canceled or archived concert can’t be published.");
            page.respond_unlisted(StatusCode::CONFLICT, &shown)
        }
    }
}

/// `POST /admin/events/{slug}/withdrawal`
pub async fn withdraw(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, ticket_types) = find(&app, &slug).await?;
    let (actor, id) = (admin.actor(), event.id);
    let (event, why) = match app.db.write(move |db| acts::withdraw(db, id, &actor)).await? {
        WithdrawalOutcome::Withdrawn(event) => {
            return done(&app, &event.slug, "Unpublished. It is a draft again.").await;
        }
        WithdrawalOutcome::Booked(event) => (
            event,
            "There are bookings, so the page has to stay. You can pause the sale, or cancel the concert.",
        ),
        WithdrawalOutcome::Closed(event) => (event, "A canceled or archived concert can’t be unpublished."),
    };
    refuse(page, &app, event, ticket_types, why)
}

/// `POST /admin/events/{slug}/pause`, with `paused=true` or `paused=false`.
pub async fn pause(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, ticket_types) = find(&app, &slug).await?;
    let paused = is_true(&typed, "paused")?;
    let (actor, id) = (admin.actor(), event.id);
    if app.db.write(move |db| acts::pause(db, id, paused, &actor)).await?.is_none() {
        let why = "A canceled or archived concert can’t be paused or resumed.";
        return refuse(page, &app, event, ticket_types, why);
    }
    let words = if paused { "Sale paused. Nothing is sold until you resume it." } else { "Sale resumed." };
    done(&app, &event.slug, words).await
}

/// `POST /admin/events/{slug}/archive`, with `archived=true` or `archived=false`.
pub async fn archive(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, ticket_types) = find(&app, &slug).await?;
    let (actor, now, id) = (admin.actor(), app.board.now(), event.id);
    if !is_true(&typed, "archived")? {
        let event = app.db.write(move |db| acts::restore(db, id, &actor)).await?;
        return done(&app, &event.slug, "Restored from the archive.").await;
    }
    match app.db.write(move |db| acts::archive(db, id, now, &actor)).await? {
        ArchiveOutcome::Done(event) => done(&app, &event.slug, "Archived.").await,
        ArchiveOutcome::TooEarly(event) => {
            let why = "This concert isn’t over, or bookings are still being canceled or buyers emailed. \
                       Nothing was changed.";
            refuse(page, &app, event, ticket_types, why)
        }
    }
}

fn is_true(typed: &HashMap<String, String>, field: &str) -> Result<bool, Error> {
    match typed.get(field).map(String::as_str) {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        _ => {
            Err(Error::Unreadable(format!("{field} must be true or false"), StatusCode::UNPROCESSABLE_ENTITY))
        }
    }
}

/// Shows the concert's page again, with the reason.
fn refuse(
    page: Page,
    app: &App,
    event: Event,
    ticket_types: Vec<TicketType>,
    why: &str,
) -> Result<HttpResponse, Error> {
    let shown = AdminEventPage::new(page.clone(), app, event, ticket_types).refused(why);
    page.respond_unlisted(StatusCode::CONFLICT, &shown)
}
