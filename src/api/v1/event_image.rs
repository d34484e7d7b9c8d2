//! `/api/v1/events/{slug}/image`: an organizer's program sets the picture of a concert, and removes it.

use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::event_json::EventJson;
use super::managed_events::{EVENT_JSON, find, show_managed};
use crate::api::organizer::{EventsWriter, wanted_version};
use crate::api::problem::{Problem, ProblemType};
use crate::app::App;
use crate::events::Event;
use crate::events::editing::store::pictures::{self, PictureChange};
use crate::events::pictures::{FILE_BYTES_MAX, PictureFault, processing};
use crate::guard::multipart::{self, SentFile};

/// `PUT /api/v1/events/{slug}/image`: the body is the file.
#[utoipa::path(
    put,
    path = "/api/v1/events/{slug}/image",
    operation_id = "setEventImage",
    tag = "Organizing",
    params(
        ("slug" = String, Path, description = "Event slug", example = "midnight-parade"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the state that is changed"),
    ),
    request_body(content = Vec<u8>, content_type = "image/jpeg", description = "A JPEG, PNG or WebP file of up to 5 MB. \
        It is decoded and written again; what a camera has noted in it is dropped"),
    responses(
        (status = 200, description = "The concert with its picture", body = EventJson),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The concert is canceled or archived", body = Problem,
            content_type = "application/problem+json"),
        (status = 412, description = "Changed since the version in If-Match", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "The file is damaged, moves, or is too large a picture", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub async fn update(
    request: HttpRequest,
    author: EventsWriter,
    app: web::Data<App>,
    slug: web::Path<String>,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    let wanted = wanted_version(&request)?;
    let SentFile::Whole(file) = multipart::read_alone(&request, body.into_inner(), FILE_BYTES_MAX).await?
    else {
        return Err(refusal(PictureFault::TooLarge));
    };
    let (event, _) = find(&app, &slug).await?;
    let picture = processing::process(file).await?.map_err(refusal)?;
    set(&author, &app, &event, wanted, PictureChange::Replace(picture)).await
}

/// `DELETE /api/v1/events/{slug}/image`: the poster is shown again.
#[utoipa::path(
    delete,
    path = "/api/v1/events/{slug}/image",
    operation_id = "removeEventImage",
    tag = "Organizing",
    params(
        ("slug" = String, Path, description = "Event slug", example = "midnight-parade"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the state that is changed"),
    ),
    responses(
        (status = 200, description = "The concert without a picture", body = EventJson),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The concert is canceled or archived", body = Problem,
            content_type = "application/problem+json"),
        (status = 412, description = "Changed since the version in If-Match", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub async fn destroy(
    request: HttpRequest,
    author: EventsWriter,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let wanted = wanted_version(&request)?;
    let (event, _) = find(&app, &slug).await?;
    set(&author, &app, &event, wanted, PictureChange::Remove).await
}

fn refusal(fault: PictureFault) -> Problem {
    let kind = match fault {
        PictureFault::TooLarge => ProblemType::BodyTooLarge,
        PictureFault::WrongType => ProblemType::UnsupportedMediaType,
        _ => ProblemType::InvalidRequest,
    };
    Problem::new(kind).with_detail(fault.words())
}

async fn set(
    author: &EventsWriter,
    app: &App,
    event: &Event,
    wanted: Option<i64>,
    change: PictureChange,
) -> Result<HttpResponse, Problem> {
    let (id, actor) = (event.id, author.actor.clone());
    let write = app.db.write(move |db| pictures::set(db, id, wanted, &change, &actor));
    let event = write.await?.map_err(|refusal| EVENT_JSON.refusal(&refusal))?;
    app.show_changes().await?;
    show_managed(app, &event.slug, &mut HttpResponse::Ok()).await
}
