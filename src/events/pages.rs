//! `/`, `/events/{slug}`, `/events/{slug}/availability`. All of it comes from the [`super::board`].

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::board::Listing;
use super::pace::Pace;
use super::{Event, TicketType};
use crate::app::App;
use crate::assets::best_encoding;
use crate::booking::buyer::Express;
use crate::error::Error;
use crate::page::Page;

/// Fresh for one second, and served for two more while the cache revalidates: together less than the shortest wait
/// between two polls, so that no browser is shown its own last answer.
const FRESHNESS: &str = "public, max-age=1, stale-while-revalidate=2";

#[derive(Template)]
#[template(path = "events/index.html")]
struct EventListPage<'a> {
    page: Page,
    events: Vec<&'a Event>,
}

#[derive(Template)]
#[template(path = "events/show.html")]
struct EventPage<'a> {
    page: Page,
    event: &'a Event,
    ticket_types: &'a [TicketType],
    express: Option<Express>,
    pace: Pace,
    /// Between two polls when the server is under stress.
    slow_seconds: u32,
}

/// `GET /`: the concert, or the list of them as soon as there are several.
pub async fn index(request: HttpRequest, page: Page, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let listings = app.board.listings();
    if let [listing] = listings.as_slice() {
        return render_show(&request, page, &app, listing);
    }
    let events = listings.iter().map(|listing| &listing.event).collect();
    page.clone().respond(StatusCode::OK, &EventListPage { page, events })
}

/// `GET /events/{slug}`
pub async fn show(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let listing = app.board.find_by_slug(&slug).ok_or(Error::NotFound)?;
    render_show(&request, page, &app, &listing)
}

fn render_show(
    request: &HttpRequest,
    page: Page,
    app: &App,
    listing: &Listing,
) -> Result<HttpResponse, Error> {
    let express = Express::of_returning_buyer(&app.cookies, &app.request_keys, request);
    let Listing { event, ticket_types, .. } = listing;
    let (pace, slow_seconds) = (app.board.pace(), app.board.poll_seconds().busy);
    let show = EventPage { page: page.clone(), event, ticket_types, express, pace, slow_seconds };
    page.respond(StatusCode::OK, &show)
}

/// `GET /events/{slug}/availability`: the ticket types as they are now; 304 while nothing has changed. The same
/// for everyone, so whatever stands in front may keep it for a second, and serve it a little longer while
/// it asks again.
pub async fn availability(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let slug = request.match_info().get("slug").unwrap_or_default();
    let listing = app.board.find_by_slug(slug).ok_or(Error::NotFound)?;
    let fragment = listing.fragment(app.board.pace())?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((ETAG, fragment.etag.clone()))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static(FRESHNESS)))
        .insert_header((VARY, HeaderValue::from_static("accept-encoding")));
    if is_known(request.headers().get(IF_NONE_MATCH), &fragment.etag) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let encoding = best_encoding(request.headers());
    response
        .insert_header((CONTENT_ENCODING, HeaderValue::from_static(encoding.name())))
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")));
    Ok(response.body(fragment.body(encoding)?.clone()))
}

/// Whether the client holds this state already (RFC 9110, section 13.1.2: weak comparison).
#[must_use]
pub fn is_known(if_none_match: Option<&HeaderValue>, etag: &HeaderValue) -> bool {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let Some(known) = if_none_match else { return false };
    // Nearly always the tag as it was sent.
    known == etag || lists(&text(known), &text(etag))
}

fn lists(known: &str, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.trim() == "*" || known.split(',').any(|tag| opaque(tag) == opaque(etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_in_any_list_and_strength() {
        let etag = HeaderValue::from_static("W/\"1.2-a\"");
        let known = |header: &'static str| is_known(Some(&HeaderValue::from_static(header)), &etag);
        assert!(known("W/\"1.2-a\"") && known("\"1.2-a\"") && known("\"x\", W/\"1.2-a\"") && known("*"));
        assert!(!known("W/\"1.3-a\"") && !known("") && !is_known(None, &etag));
    }
}
