//! `/events/{slug}/queue/place/{token}`: a place of the waiting room in a link, for another device or a browser that has
//! lost its cookies. It is the same place: wherever it is used, it gets the same one pass.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::open_room::OpenRoom;
use super::{QueuePlace, Room};
use crate::app::App;
use crate::error::Error;
use crate::events::board::Listing;
use crate::guard::sealing::Sealer;
use crate::guard::secret::{Purpose, Secrets};
use crate::page::{Page, Toast, see_other, see_other_with};

/// Makes and reads the links to places.
#[derive(Clone)]
pub struct PlaceLinks {
    sealer: Sealer,
}

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

impl PlaceLinks {
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self { sealer: Sealer::new(secrets, Purpose::QueuePlaceLinks) }
    }

    /// The link's last part.
    #[must_use]
    pub fn token(&self, room: &Room, place: &QueuePlace) -> String {
        self.sealer.seal_for_url(&name(room), &place.text())
    }

    /// The place of a link; `None`: it is no link of this draw.
    #[must_use]
    pub fn open(&self, room: &Room, token: &str) -> Option<QueuePlace> {
        QueuePlace::parse(&self.sealer.open_from_url(&name(room), token)?)
    }
}

/// A link is good for its draw only.
fn name(room: &Room) -> String {
    format!("place-{}-{}", room.event_id, room.draw_name())
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
    let own = QueuePlace::of_request(&app.cookies, &request, &open.room);
    if own.as_ref() == Some(&place) {
        return Ok(see_other(&room_path(&listing)).finish());
    }
    let other = own.map(|own| own.grouped_number());
    let shown = PlaceLinkPage { page: page.clone(), listing, token, place, other };
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `POST /events/{slug}/queue/place/{token}`: this browser has the place from now on.
pub async fn create(app: web::Data<App>, path: web::Path<(String, String)>) -> Result<HttpResponse, Error> {
    let (slug, token) = path.into_inner();
    let listing = app.board.find_by_slug(&slug).ok_or(Error::NotFound)?;
    let Some((open, place)) = find(&app, &listing, &token) else { return Ok(not_good(&app, &listing)) };
    let mut response = see_other(&room_path(&listing));
    response.cookie(place.cookie(&app.cookies, &open.room));
    Ok(response.finish())
}

fn find(app: &App, listing: &Listing, token: &str) -> Option<(Arc<OpenRoom>, QueuePlace)> {
    let open = app.rooms.find(listing.event.id)?;
    let place = app.rooms.place_links().open(&open.room, token)?;
    Some((open, place))
}

fn not_good(app: &App, listing: &Listing) -> HttpResponse {
    let why = Toast::failure(
        "That link leads to no place in this waiting room: the room has begun again, or is off.",
    );
    see_other_with(&app.cookies, &room_path(listing), &why)
}

fn room_path(listing: &Listing) -> String {
    format!("/events/{}/queue", listing.event.slug)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::tests::{at, room};

    #[test]
    fn a_link_keeps_a_place_of_its_own_draw() {
        let links = PlaceLinks::new(&"a secret".into());
        let place = QueuePlace::generate(at(5));
        let token = links.token(&room(), &place);
        assert_eq!(links.open(&room(), &token), Some(place.clone()));
        let again = Room { seed_hash: "0".repeat(64), ..room() };
        assert_eq!(links.open(&again, &token), None, "of an earlier draw");
        assert_eq!(links.open(&Room { event_id: 2, ..room() }, &token), None, "of another concert");
        let foreign = PlaceLinks::new(&"another".into()).token(&room(), &place);
        for bad in ["", "x", &token[1..], &foreign, &"A".repeat(2000), &place.text()] {
            assert_eq!(links.open(&room(), bad), None, "{bad}");
        }
    }
}
