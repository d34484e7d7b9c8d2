//! `/api/v1/events` and below. Everything is answered from the board, in memory.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH, LINK};
use actix_web::{HttpRequest, HttpResponse, web};

use super::cursor::{self, PageQuery};
use super::{AvailabilityJson, EventJson, EventPageJson, LeftJson, TicketTypeJson, TicketTypesJson};
use crate::api::problem::{Problem, ProblemType};
use crate::app::App;
use crate::error::Error;
use crate::events::board::Listing;
use crate::events::pace::Pace;
use crate::events::pages::is_known;
use crate::guard::form;

/// Clients revalidate each time and mostly get 304. Not `public`: the RateLimit headers belong to one client.
const REVALIDATE: &str = "private, no-cache";

/// `GET /api/v1/events`: concerts, soonest first.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "listEvents",
    tag = "Concerts",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "Page size; 20 by default"),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page"),
    ),
    responses(
        (status = 200, description = "A page of concerts", body = EventPageJson,
            headers(("Link" = Option<String>, description = "The next page, as rel=\"next\" (RFC 8288)"))),
        (status = 422, description = "A parameter is invalid", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn index(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    // The error of `parse` is about forms. Here it can only be a repeated parameter or invalid UTF-8.
    let query: PageQuery = form::parse(request.query_string().as_bytes()).map_err(|_| {
        Problem::new(ProblemType::InvalidRequest)
            .with_detail("A parameter is repeated, or is not valid UTF-8.")
    })?;
    let page = query.parse()?;
    let mut found = app.board.listings();
    found.retain(|listing| page.is_after(&listing.event));
    let is_last = found.len() <= page.limit;
    found.truncate(page.limit);
    let next_cursor = found.last().filter(|_| !is_last).map(|listing| cursor::after(&listing.event));
    let mut response = HttpResponse::Ok();
    if let Some(next) = &next_cursor {
        let link = format!("</api/v1/events?limit={}&cursor={next}>; rel=\"next\"", page.limit);
        response.insert_header((LINK, link));
    }
    let events = found.iter().map(|listing| EventJson::of(listing)).collect();
    Ok(response.insert_header((CACHE_CONTROL, REVALIDATE)).json(EventPageJson { events, next_cursor }))
}

/// `GET /api/v1/events/{slug}`
#[utoipa::path(
    get,
    path = "/api/v1/events/{slug}",
    operation_id = "showEvent",
    tag = "Concerts",
    params(("slug" = String, Path, description = "Event slug", example = "midnight-parade")),
    responses(
        (status = 200, description = "The concert", body = EventJson),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(app: web::Data<App>, slug: web::Path<String>) -> Result<HttpResponse, Problem> {
    let listing = find(&app, &slug)?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, REVALIDATE)).json(EventJson::of(&listing)))
}

/// `GET /api/v1/events/{slug}/ticket-types`
#[utoipa::path(
    get,
    path = "/api/v1/events/{slug}/ticket-types",
    operation_id = "listTicketTypes",
    tag = "Concerts",
    params(("slug" = String, Path, description = "Event slug", example = "midnight-parade")),
    responses(
        (status = 200, description = "Its ticket types, in display order", body = TicketTypesJson),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn ticket_types(app: web::Data<App>, slug: web::Path<String>) -> Result<HttpResponse, Problem> {
    let ticket_types = TicketTypeJson::all_of(&*find(&app, &slug)?);
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, REVALIDATE)).json(TicketTypesJson { ticket_types }))
}

/// `GET /api/v1/events/{slug}/availability`: tickets left; 304 while nothing has changed.
#[utoipa::path(
    get,
    path = "/api/v1/events/{slug}/availability",
    operation_id = "showAvailability",
    tag = "Concerts",
    params(
        ("slug" = String, Path, description = "Event slug", example = "midnight-parade"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the previous response"),
    ),
    responses(
        (status = 200, description = "Tickets left", body = AvailabilityJson,
            headers(("ETag" = String, description = "Identifies this state, on every server"))),
        (status = 304, description = "Not modified",
            headers(("ETag" = String, description = "Identifies this state"))),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn availability(
    request: HttpRequest,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let listing = find(&app, &slug)?;
    let pace = app.board.pace();
    let etag = etag(&listing, pace)?;
    let is_known = is_known(request.headers().get(IF_NONE_MATCH), &etag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, etag)).insert_header((CACHE_CONTROL, REVALIDATE));
    if is_known {
        return Ok(response.finish());
    }
    let left =
        listing.ticket_types.iter().map(|it| LeftJson { id: it.id.to_string(), available: it.available });
    Ok(response.json(AvailabilityJson { poll_after_seconds: pace.seconds, ticket_types: left.collect() }))
}

/// From the versions of the ticket types. The number in `api1` grows when the JSON changes its form.
fn etag(listing: &Listing, pace: Pace) -> Result<HeaderValue, Error> {
    let versions = listing.ticket_types.iter().map(|it| format!("{}.{}", it.id, it.version));
    let tag = format!("W/\"api1-{}-{}s\"", versions.collect::<Vec<_>>().join("-"), pace.seconds);
    HeaderValue::try_from(tag).map_err(|e| Error::Internal(format!("availability ETag: {e}")))
}

fn find(app: &App, slug: &str) -> Result<Arc<Listing>, Problem> {
    app.board.find_by_slug(slug).ok_or_else(|| Problem::new(ProblemType::NotFound))
}
