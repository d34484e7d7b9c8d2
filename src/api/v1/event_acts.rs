//! What an organizer's program does to a whole concert: publish and unpublish, pause and resume, archive and restore.
//! Each is idempotent, and answers with the concert as it is then.

use actix_web::{HttpResponse, web};

use super::event_json::EventJson;
use super::managed_events::{EVENT_JSON, find, show_managed};
use crate::api::organizer::EventsWriter;
use crate::api::problem::{FieldError, Problem, ProblemType};
use crate::app::App;
use crate::events::Event;
use crate::events::editing::publication::{missing, prices};
use crate::events::editing::store::acts::{self, ArchiveOutcome, PublicationOutcome, WithdrawalOutcome};
use crate::payment::settings::Payments;

const CLOSED: &str = "A canceled or archived concert can’t be published or unpublished.";

/// `POST /api/v1/events/{slug}/publication`: publishes a draft.
#[utoipa::path(
    post,
    path = "/api/v1/events/{slug}/publication",
    operation_id = "publishEvent",
    tag = "Organizing",
    params(("slug" = String, Path, description = "Event slug", example = "midnight-parade")),
    responses(
        (status = 200, description = "Published, now or earlier", body = EventJson),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is canceled or archived", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "Something is missing; errors names each field", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub async fn publish(
    author: EventsWriter,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (event, ticket_types) = find(&app, &slug).await?;
    let now = app.board.now();
    let account = app.payments.clone();
    let fault = move |event: &Event, prices: &[i64]| {
        Payments::fault_of(account.as_ref(), event.payment, &event.currency, prices)
    };
    match app.db.write(move |db| acts::publish(db, event.id, now, fault, &author.actor)).await? {
        PublicationOutcome::Published(event) => shown(&app, &event.slug).await,
        PublicationOutcome::Closed(_) => Err(refused(CLOSED)),
        PublicationOutcome::Missing(event) => {
            let error = |field: Option<&'static str>, words: &str| {
                let name = field.map_or("ticketTypes", |field| EVENT_JSON.name_of(field));
                FieldError::in_body(name, format!("Missing: {words}"))
            };
            let fault = app.payment_fault(event.payment, &event.currency, &prices(&ticket_types));
            let errors =
                missing(&event, &ticket_types, now, fault).into_iter().map(|it| error(it.field, it.words));
            let problem = Problem::new(ProblemType::InvalidRequest).with_errors(errors.collect());
            Err(problem.with_detail("Not published yet: something is missing."))
        }
    }
}

/// `DELETE /api/v1/events/{slug}/publication`: makes a draft of it again, while nothing was booked.
#[utoipa::path(
    delete,
    path = "/api/v1/events/{slug}/publication",
    operation_id = "unpublishEvent",
    tag = "Organizing",
    params(("slug" = String, Path, description = "Event slug", example = "midnight-parade")),
    responses(
        (status = 200, description = "A draft, now or earlier", body = EventJson),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There are bookings, or it is canceled or archived", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub async fn withdraw(
    author: EventsWriter,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (event, _) = find(&app, &slug).await?;
    match app.db.write(move |db| acts::withdraw(db, event.id, &author.actor)).await? {
        WithdrawalOutcome::Withdrawn(event) => shown(&app, &event.slug).await,
        WithdrawalOutcome::Booked(_) => Err(refused("There are bookings, so the page has to stay.")),
        WithdrawalOutcome::Closed(_) => Err(refused(CLOSED)),
    }
}

/// `POST /api/v1/events/{slug}/pause`: pauses all sales.
#[utoipa::path(
    post,
    path = "/api/v1/events/{slug}/pause",
    operation_id = "pauseEvent",
    tag = "Organizing",
    params(("slug" = String, Path, description = "Event slug", example = "midnight-parade")),
    responses(
        (status = 200, description = "Nothing is sold until it is resumed", body = EventJson),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is canceled or archived", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub async fn pause(
    author: EventsWriter,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    set_paused(&author, &app, &slug, true).await
}

/// `DELETE /api/v1/events/{slug}/pause`: resumes sales.
#[utoipa::path(
    delete,
    path = "/api/v1/events/{slug}/pause",
    operation_id = "resumeEvent",
    tag = "Organizing",
    params(("slug" = String, Path, description = "Event slug", example = "midnight-parade")),
    responses(
        (status = 200, description = "On sale again", body = EventJson),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is canceled or archived", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub async fn resume(
    author: EventsWriter,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    set_paused(&author, &app, &slug, false).await
}

async fn set_paused(
    author: &EventsWriter,
    app: &App,
    slug: &str,
    paused: bool,
) -> Result<HttpResponse, Problem> {
    let (event, _) = find(app, slug).await?;
    let actor = author.actor.clone();
    match app.db.write(move |db| acts::pause(db, event.id, paused, &actor)).await? {
        Some(event) => shown(app, &event.slug).await,
        None => Err(refused("A canceled or archived concert can’t be paused or resumed.")),
    }
}

/// `POST /api/v1/events/{slug}/archive`: puts a concert that is over, canceled or a draft into the archive.
#[utoipa::path(
    post,
    path = "/api/v1/events/{slug}/archive",
    operation_id = "archiveEvent",
    tag = "Organizing",
    params(("slug" = String, Path, description = "Event slug", example = "midnight-parade")),
    responses(
        (status = 200, description = "Archived, now or earlier", body = EventJson),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is not over, or bookings are still being canceled or buyers emailed",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn archive(
    author: EventsWriter,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (event, _) = find(&app, &slug).await?;
    let now = app.board.now();
    match app.db.write(move |db| acts::archive(db, event.id, now, &author.actor)).await? {
        ArchiveOutcome::Done(event) => shown(&app, &event.slug).await,
        ArchiveOutcome::TooEarly(_) => {
            Err(refused("This concert isn’t over, or bookings are still being canceled or buyers emailed."))
        }
    }
}

/// `DELETE /api/v1/events/{slug}/archive`: takes it out of the archive.
#[utoipa::path(
    delete,
    path = "/api/v1/events/{slug}/archive",
    operation_id = "restoreEvent",
    tag = "Organizing",
    params(("slug" = String, Path, description = "Event slug", example = "midnight-parade")),
    responses(
        (status = 200, description = "As it was before it was archived", body = EventJson),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn restore(
    author: EventsWriter,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (event, _) = find(&app, &slug).await?;
    let event = app.db.write(move |db| acts::restore(db, event.id, &author.actor)).await?;
    shown(&app, &event.slug).await
}

fn refused(why: &str) -> Problem {
    Problem::new(ProblemType::ChangeRefused).with_detail(format!("{why} Nothing was changed."))
}

async fn shown(app: &App, slug: &str) -> Result<HttpResponse, Problem> {
    app.show_changes().await?;
    show_managed(app, slug, &mut HttpResponse::Ok()).await
}
