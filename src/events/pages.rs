//! `/`, `/events/{slug}`, `/events/{slug}/availability`. All of it comes from the [`super::board`].

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, LOCATION, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::NaiveDateTime;
use serde::Deserialize;

use super::board::Listing;
use super::pace::Pace;
use super::sale::SaleState;
use super::sharing::{SharedPage, SharedPicture};
use super::structured_data::music_event;
use super::{Concert, EventState};
use crate::app::App;
use crate::assets::accepts;
use crate::booking::buyer::Express;
use crate::booking::request_key::RequestKey;
use crate::error::Error;
use crate::guard::form::Query;
use crate::page::Page;

/// Fresh for one second, and served for two more while the cache revalidates: together less than the default wait
/// between two polls, so that no browser is shown its own last answer.
const FRESHNESS: &str = "public, max-age=1, stale-while-revalidate=2";

/// Concerts on one page of the list.
const PAGE_LENGTH: usize = 24;

#[derive(Template)]
#[template(path = "events/index.html")]
struct EventListPage {
    page: Page,
    shared: SharedPage,
    listings: Vec<Arc<Listing>>,
    number: usize,
    last: usize,
}

#[derive(Template)]
#[template(path = "events/show.html")]
struct EventPage<'a> {
    page: Page,
    shared: SharedPage,
    structured_data: String,
    listing: &'a Listing,
    express: Option<Express>,
    /// Whether this browser has a pass. `None`: bookings need none.
    has_pass: Option<bool>,
    /// UTC.
    now: NaiveDateTime,
    pace: Pace,
    /// Seconds between two polls when the server is under stress.
    slow_seconds: u32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    page: String,
}

/// `GET /?page=2`: the upcoming concerts, the next one first. While there is only one, it shows that
/// concert's page.
pub async fn index(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    Query(query): Query<ListQuery>,
) -> Result<HttpResponse, Error> {
    let is_to_come = |listing: &Arc<Listing>| listing.event.listed && !listing.is_over();
    let listings: Vec<_> = app.board.listings().into_iter().filter(is_to_come).collect();
    if let [listing] = listings.as_slice() {
        return render_show(&request, page, &app, listing);
    }
    let last = listings.len().div_ceil(PAGE_LENGTH).max(1);
    let number = if query.page.is_empty() { Some(1) } else { query.page.parse().ok() };
    let number = number.filter(|number| (1..=last).contains(number)).ok_or(Error::NotFound)?;
    let listings: Vec<_> = listings.into_iter().skip((number - 1) * PAGE_LENGTH).take(PAGE_LENGTH).collect();
    let shared = shared_list(&app.public_url, &listings, number);
    page.clone().respond(StatusCode::OK, &EventListPage { page, shared, listings, number, last })
}

/// `GET /events/{slug}`
pub async fn show(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let listing = app.board.find_by_slug(&slug).ok_or(Error::NotFound)?;
    if listing.event.slug != *slug {
        return Ok(moved(&listing, &request));
    }
    render_show(&request, page, &app, &listing)
}

/// Leads from a slug that a concert had before to the one that it has.
fn moved(listing: &Listing, request: &HttpRequest) -> HttpResponse {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("/events/{}{query}", listing.event.slug);
    let mut response = HttpResponse::PermanentRedirect();
    // The organizer may give the concert its old slug back.
    response.insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-cache")).finish()
}

/// A concert's page as buyers would see it, for the organizer only.
///
/// # Errors
/// When the template does not render.
pub fn preview(page: Page, app: &App, concert: Concert) -> Result<HttpResponse, Error> {
    let listing = Listing::preview(concert, app.board.now());
    page.respond_unlisted(StatusCode::OK, &event_page(&page, app, &listing))
}

/// A concert's page as everybody sees it.
fn event_page<'a>(page: &Page, app: &App, listing: &'a Listing) -> EventPage<'a> {
    let shared = SharedPage::of_concert(&app.public_url, &listing.event);
    let structured_data = music_event(listing, &app.public_url, &shared);
    EventPage {
        page: page.clone(),
        shared,
        structured_data,
        listing,
        express: None,
        has_pass: None,
        now: app.board.now(),
        pace: app.board.pace(),
        slow_seconds: app.board.poll_seconds().busy,
    }
}

/// Each page of the list has an address of its own; its picture is the first concert's.
fn shared_list(site: &str, listings: &[Arc<Listing>], number: usize) -> SharedPage {
    let path = if number == 1 { "/".to_owned() } else { format!("/?page={number}") };
    let description = "Concert tickets with live availability. Book in seconds, without an account.";
    let picture = listings.first().map(|first| SharedPicture::of_concert(site, &first.event));
    SharedPage { picture, ..SharedPage::new(site, &path, "Upcoming concerts", description) }
}

/// Whether this browser has a pass of the concert's waiting room (`None`: bookings need none), and that pass
/// as a request key.
fn pass_of(request: &HttpRequest, app: &App, listing: &Listing) -> (Option<bool>, Option<RequestKey>) {
    let event_id = listing.event.id;
    // A concert that sells nothing any more has no waiting room.
    if !app.rooms.needs_pass(event_id) || listing.sales_have_ended() {
        return (None, None);
    }
    let pass = app.rooms.pass_of(&app.cookies, request, event_id, app.board.now());
    let key = pass.and_then(|pass| app.request_keys.kept_pass(pass.as_str()));
    (Some(key.is_some()), key)
}

fn render_show(
    request: &HttpRequest,
    page: Page,
    app: &App,
    listing: &Listing,
) -> Result<HttpResponse, Error> {
    let (has_pass, pass) = pass_of(request, app, listing);
    let express = Express::of_returning_buyer(&app.cookies, &app.request_keys, request, &listing.event);
    // Where a pass is needed, one-click booking uses the pass, and is not offered without one.
    let express = match has_pass {
        Some(_) => express.zip(pass).map(|(express, request_key)| Express { request_key, ..express }),
        None => express,
    };
    page.respond(StatusCode::OK, &EventPage { express, has_pass, ..event_page(&page, app, listing) })
}

/// `GET /events/{slug}/availability`: the current ticket types; 304 while nothing has changed. It is the same for
/// everyone, so a cache in front may keep it for a second, and serve it a little longer while it revalidates.
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
    let (encoding, body) = match accepts(request.headers(), "gzip") {
        true => ("gzip", fragment.gzip()?),
        false => ("identity", &fragment.html),
    };
    response
        .insert_header((CONTENT_ENCODING, HeaderValue::from_static(encoding)))
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")));
    Ok(response.body(body.clone()))
}

/// Most tags of `If-None-Match` that are compared. A browser sends one, a cache a few.
const TAGS_MAX: usize = 16;

/// Whether the client has this state already (RFC 9110, section 13.1.2: weak comparison).
#[must_use]
pub fn is_known(if_none_match: Option<&HeaderValue>, etag: &HeaderValue) -> bool {
    let Some(known) = if_none_match else { return false };
    // Clients nearly always send the tag back unchanged.
    known == etag || lists(known.as_bytes(), etag.as_bytes())
}

/// A tag may contain a comma, and is split there. Ours contain none, so no part of such a tag equals ours.
fn lists(known: &[u8], etag: &[u8]) -> bool {
    fn opaque(tag: &[u8]) -> &[u8] {
        tag.strip_prefix(b"W/").unwrap_or(tag)
    }
    let mut tags = known.split(|byte| *byte == b',').take(TAGS_MAX).map(<[u8]>::trim_ascii);
    known.trim_ascii() == b"*" || tags.any(|tag| opaque(tag) == opaque(etag))
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
        assert!(!known("\"1.2-\"") && !known("\"1.2-a") && !known("**") && !known("W/W/\"1.2-a\""));
    }

    #[test]
    fn only_the_first_tags_are_compared() {
        let etag = HeaderValue::from_static("\"ours\"");
        let after =
            |others: usize| HeaderValue::try_from("\"x\", ".repeat(others) + "W/\"ours\"").expect("a list");
        assert!(is_known(Some(&after(TAGS_MAX - 1)), &etag));
        assert!(!is_known(Some(&after(TAGS_MAX)), &etag));
    }
}
