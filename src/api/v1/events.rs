//! `/api/v1/events` and what is below it. All of it comes from the board.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH, LINK};
use actix_web::{HttpRequest, HttpResponse, web};

use super::cursor::{self, PageQuery};
use super::{Availability, Event, EventPage, Left, TicketType, TicketTypes};
use crate::api::problem::{Problem, ProblemType};
use crate::app::App;
use crate::error::Error;
use crate::events::board::Listing;
use crate::events::pace::Pace;
use crate::events::pages::is_known;
use crate::guard::form;

/// Kept, and asked for again each time: mostly a 304. Not `public`: the RateLimit fields are one client's.
const FRESHNESS: &str = "private, no-cache";

/// `GET /api/v1/events`: the concerts, the next one first.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "listEvents",
    tag = "Concerts",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "Most concerts of a page; 20 when it is left out"),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of concerts", body = EventPage,
            headers(("Link" = Option<String>, description = "The page that follows, as rel=\"next\" (RFC 8288)"))),
        (status = 422, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn index(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    // Its own words are for a form; a field twice, or one that is no text, is all that it can be.
    let query: PageQuery = form::parse(request.query_string().as_bytes()).map_err(|_| {
        Problem::new(ProblemType::InvalidRequest).with_detail("A parameter is there twice, or is no text.")
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
    let events = found.iter().map(|listing| Event::of(listing)).collect();
    Ok(response.insert_header((CACHE_CONTROL, FRESHNESS)).json(EventPage { events, next_cursor }))
}

/// `GET /api/v1/events/{slug}`
#[utoipa::path(
    get,
    path = "/api/v1/events/{slug}",
    operation_id = "showEvent",
    tag = "Concerts",
    params(("slug" = String, Path, description = "The concert's name in addresses", example = "midnight-parade")),
    responses(
        (status = 200, description = "The concert", body = Event),
        (status = 404, description = "There is no such concert", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(app: web::Data<App>, slug: web::Path<String>) -> Result<HttpResponse, Problem> {
    let listing = find(&app, &slug)?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, FRESHNESS)).json(Event::of(&listing)))
}

/// `GET /api/v1/events/{slug}/ticket-types`
#[utoipa::path(
    get,
    path = "/api/v1/events/{slug}/ticket-types",
    operation_id = "listTicketTypes",
    tag = "Concerts",
    params(("slug" = String, Path, description = "The concert's name in addresses", example = "midnight-parade")),
    responses(
        (status = 200, description = "Its ticket types, as they are shown", body = TicketTypes),
        (status = 404, description = "There is no such concert", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn ticket_types(app: web::Data<App>, slug: web::Path<String>) -> Result<HttpResponse, Problem> {
    let ticket_types = TicketType::all_of(&*find(&app, &slug)?);
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, FRESHNESS)).json(TicketTypes { ticket_types }))
}

/// `GET /api/v1/events/{slug}/availability`: what is left; 304 while nothing has changed.
#[utoipa::path(
    get,
    path = "/api/v1/events/{slug}/availability",
    operation_id = "showAvailability",
    tag = "Concerts",
    params(
        ("slug" = String, Path, description = "The concert's name in addresses", example = "midnight-parade"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the answer before"),
    ),
    responses(
        (status = 200, description = "What is left", body = Availability,
            headers(("ETag" = String, description = "Of this state, the same on every server"))),
        (status = 304, description = "It is as it was",
            headers(("ETag" = String, description = "Of this state"))),
        (status = 404, description = "There is no such concert", body = Problem, content_type = "application/problem+json"),
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
    response.insert_header((ETAG, etag)).insert_header((CACHE_CONTROL, FRESHNESS));
    if is_known {
        return Ok(response.finish());
    }
    let left = listing.ticket_types.iter().map(|it| Left { id: it.id.to_string(), available: it.available });
    Ok(response.json(Availability { poll_after_seconds: pace.seconds, ticket_types: left.collect() }))
}

/// As the board's fragment has it; the number in front grows when the JSON changes its form.
fn etag(listing: &Listing, pace: Pace) -> Result<HeaderValue, Error> {
    let versions = listing.ticket_types.iter().map(|tier| format!("{}.{}", tier.id, tier.version));
    let tag = format!("W/\"api1-{}-{}s\"", versions.collect::<Vec<_>>().join("-"), pace.seconds);
    HeaderValue::try_from(tag).map_err(|e| Error::Internal(format!("the tag of availability: {e}")))
}

fn find(app: &App, slug: &str) -> Result<Arc<Listing>, Problem> {
    app.board.find_by_slug(slug).ok_or_else(|| Problem::new(ProblemType::NotFound))
}
