//! `/events/{slug}/queue/place/{token}`: a waiting room's place in a link, for another device or a browser that has
//! lost its cookies. It is the same place: wherever it is used, it gets the same one pass.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::QueuePlace;
use super::open_room::OpenRoom;
use crate::app::App;
use crate::error::Error;
use crate::events::board::Listing;
use crate::page::{Page, Toast, see_other, see_other_with};

#[derive(Template)]
#[template(path = "queue/place.html")]
struct PlaceLinkPage {
    page: Page,
    listing: Arc<Listing>,
    token: String,
    place: QueuePlace,
    /// The number of another place, which this browser has now.
    other: Option<String>,
}

/// `GET /events/{slug}/queue/place/{token}`: asks whether this browser is to have the place.
pub async fn show(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let (slug, token) = path.into_inner();
    let listing = app.board.find_by_slug(&slug).ok_or(Error::NotFound)?;
    let Some((open, place)) = find(&app, &listing, &token) else { return Ok(not_good(&app, &listing)) };
    let own = QueuePlace::of_request(&app.cookies, &request, &open.room, app.board.now());
    if own.as_ref() == Some(&place) {
        return Ok(see_other(&room_path(&listing)).finish());
    }
    let other = own.map(|own| own.grouped_number());
    let shown = PlaceLinkPage { page: page.clone(), listing, token, place, other };
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `POST /events/{slug}/queue/place/{token}`: this browser has the place from now on.
pub async fn create(
    request: HttpRequest,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let (slug, token) = path.into_inner();
    let listing = app.board.find_by_slug(&slug).ok_or(Error::NotFound)?;
    let Some((open, place)) = find(&app, &listing, &token) else { return Ok(not_good(&app, &listing)) };
    let own = QueuePlace::of_request(&app.cookies, &request, &open.room, app.board.now());
    if open.room.registration && own.as_ref() != Some(&place) {
        // People who have registered are counted when they come. All others were counted when they took their
        // places.
        app.rooms.note_arrival(&open, place.arrived_at);
    }
    let mut response = see_other(&room_path(&listing));
    response.cookie(place.cookie(&app.cookies, &open.room, listing.event.ends_at - app.board.now()));
    Ok(response.finish())
}

fn find(app: &App, listing: &Listing, token: &str) -> Option<(Arc<OpenRoom>, QueuePlace)> {
    let open = app.rooms.find(listing.event.id)?;
    let place = app.rooms.place_links().open(&open.room, token)?;
    Some((open, place))
}

fn not_good(app: &App, listing: &Listing) -> HttpResponse {
    let why = Toast::failure("That link no longer works: the waiting room was restarted or turned off.");
    see_other_with(&app.cookies, &room_path(listing), &why)
}

fn room_path(listing: &Listing) -> String {
    format!("/events/{}/queue", listing.event.slug)
}
