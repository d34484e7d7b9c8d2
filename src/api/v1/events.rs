//! `/api/v1/events` and below: reading. Everything is answered from the board, in memory; only programs that may see
//! drafts are answered from the database.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH, LINK, VARY};
use actix_web::{HttpRequest, HttpResponse, web};

use super::cursor::{self, PageQuery, PageWanted};
use super::event_json::{EventJson, EventPageJson};
use super::managed_events::{self, show_managed};
use super::ticket_type_json::TicketTypeJson;
use super::{AvailabilityJson, LeftJson, TicketTypesJson};
use crate::api::organizer::{MaySeeDrafts, respond};
use crate::api::problem::{Problem, ProblemType};
use crate::app::App;
use crate::error::Error;
use crate::events::Event;
use crate::events::board::Listing;
use crate::events::editing::store::listing;
use crate::events::pace::Pace;
use crate::events::pages::is_known;
use crate::guard::form;

/// Clients ask again each time; for availability, which has an ETag, they mostly get 304. Not `public`: the RateLimit
/// headers belong to one client.
const REVALIDATE: &str = "private, no-cache";

/// `GET /api/v1/events`: listed concerts, soonest first. With a token that has `events:read`, unlisted ones, drafts and
/// the archive too.
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
pub async fn index(
    request: HttpRequest,
    MaySeeDrafts(may_see_drafts): MaySeeDrafts,
    app: web::Data<App>,
) -> Result<HttpResponse, Problem> {
    // The error of `parse` is about forms. Here it can only be a repeated parameter or invalid UTF-8.
    let query: PageQuery = form::parse(request.query_string().as_bytes()).map_err(|_| {
        Problem::new(ProblemType::InvalidRequest)
            .with_detail("A parameter is repeated, or is not valid UTF-8.")
    })?;
    let page = query.parse()?;
    if may_see_drafts {
        return index_managed(&app, page).await;
    }
    let mut found = app.board.listings();
    found.retain(|listing| page.is_after(&listing.event) && listing.event.listed);
    let next_cursor = cut(&mut found, page.limit, |listing| &listing.event);
    let events = found.iter().map(|listing| EventJson::of(listing)).collect();
    Ok(respond_page(EventPageJson { events, next_cursor }, page.limit, REVALIDATE))
}

/// The same with drafts, archived and unlisted concerts, and hidden ticket types.
async fn index_managed(app: &App, page: PageWanted) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(), page.limit);
    let mut found = app.db.read_primary(move |db| listing::after(db, after, limit + 1)).await?;
    let next_cursor = cut(&mut found, limit, |(event, _)| event);
    let now = app.board.now();
    let events = found.into_iter().map(|(event, types)| EventJson::managed(&event, types, now)).collect();
    Ok(respond_page(EventPageJson { events, next_cursor }, limit, "private, no-store"))
}

/// Cuts what was found to one page, and says where the next one begins. `None`: there is no more.
fn cut<T>(found: &mut Vec<T>, limit: usize, event: impl Fn(&T) -> &Event) -> Option<String> {
    let is_last = found.len() <= limit;
    found.truncate(limit);
    found.last().filter(|_| !is_last).map(|it| cursor::after(event(it)))
}

fn respond_page(page: EventPageJson, limit: usize, cache: &'static str) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(next) = &page.next_cursor {
        let link = format!("</api/v1/events?limit={limit}&cursor={next}>; rel=\"next\"");
        response.insert_header((LINK, link));
    }
    response.insert_header((CACHE_CONTROL, cache)).insert_header((VARY, "authorization"));
    response.json(page)
}

/// `GET /api/v1/events/{slug}`: with a token that has `events:read`, also a draft, and more of each.
#[utoipa::path(
    get,
    path = "/api/v1/events/{slug}",
    operation_id = "showEvent",
    tag = "Concerts",
    params(("slug" = String, Path, description = "Event slug", example = "midnight-parade")),
    responses(
        (status = 200, description = "The concert", body = EventJson,
            headers(("ETag" = Option<String>, description = "Its version, with events:read"))),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(
    MaySeeDrafts(may_see_drafts): MaySeeDrafts,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    if may_see_drafts {
        return show_managed(&app, &slug, &mut HttpResponse::Ok()).await;
    }
    let listing = find(&app, &slug)?;
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, REVALIDATE)).insert_header((VARY, "authorization"));
    Ok(response.json(EventJson::of(&listing)))
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
pub async fn ticket_types(
    MaySeeDrafts(may_see_drafts): MaySeeDrafts,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    if may_see_drafts {
        let (event, ticket_types) = managed_events::find(&app, &slug).await?;
        let ticket_types = TicketTypeJson::managed(&event, ticket_types, app.board.now());
        return Ok(respond(&mut HttpResponse::Ok(), event.facts_version, &TicketTypesJson { ticket_types }));
    }
    let ticket_types = TicketTypeJson::all_of(&*find(&app, &slug)?);
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, REVALIDATE)).insert_header((VARY, "authorization"));
    Ok(response.json(TicketTypesJson { ticket_types }))
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
