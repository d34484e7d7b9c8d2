//! `/events/{slug}/queue`, `/events/{slug}/queue/line`, `/events/{slug}/queue/draw`: the waiting room of a concert.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::NaiveDateTime;
use serde::Deserialize;

use super::draw::Position;
use super::fragment::{self, LineView};
use super::open_room::OpenRoom;
use super::pass::Pass;
use super::stage::{RoomStage, stage};
use super::{QueuePlace, RoomPhase, rooms};
use crate::app::App;
use crate::error::Error;
use crate::events::board::Listing;
use crate::guard::form::Query;
use crate::page::{Page, see_other};

/// A cache in front may keep the fragment for a second, and serve it for two more while it revalidates: as
/// that of the board.
const FRESHNESS: &str = "public, max-age=1, stale-while-revalidate=2";

#[derive(Template)]
#[template(path = "queue/show.html")]
struct RoomPage {
    page: Page,
    listing: Arc<Listing>,
    line: LineView,
    stage: RoomStage,
    /// A link that gives this visitor's place to another browser.
    place_url: Option<String>,
    /// Places are given by email only.
    registers: bool,
    address: AddressField,
}

/// The field for the address that gets a place by email, and the result of sending it.
#[derive(Default)]
pub(super) struct AddressField {
    pub(super) email: String,
    pub(super) error: Option<String>,
    pub(super) has_asked: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RoomQuery {
    /// Whether an address was sent a moment ago.
    asked: String,
}

#[derive(Template)]
#[template(path = "queue/draw.html")]
struct DrawPage {
    page: Page,
    listing: Arc<Listing>,
    open: Arc<OpenRoom>,
    place: Option<QueuePlace>,
    position: Option<Position>,
}

impl RoomPage {
    /// Whether the visitor is served but gets no pass right now: the page asks again by itself.
    fn is_moment(&self) -> bool {
        matches!(self.stage, RoomStage::Moment)
    }

    /// Whether no poll changes the page any more.
    fn is_final(&self) -> bool {
        use RoomStage::{Booked, Moment, Over, Turn};
        matches!(self.stage, Turn { .. } | Moment | Over | Booked(_))
    }

    /// Whether the page shows a form, whose text a reload would lose.
    fn is_form(&self) -> bool {
        self.registers && matches!(self.stage, RoomStage::Offer) && !self.address.has_asked
    }

    /// Whether nothing is left. If tickets are returned, the page loads again by itself.
    fn is_sold_out(&self) -> bool {
        matches!(self.stage, RoomStage::SoldOut)
    }

    /// The place in line, and how many of all who have come stand before it.
    fn waits_at(&self) -> Option<(i64, i64)> {
        match self.stage {
            RoomStage::Waiting { position, before, .. } => Some((position.number(), before)),
            _ => None,
        }
    }

    /// How long this visitor waits, as the line moves now.
    fn wait(&self) -> Option<String> {
        match self.stage {
            RoomStage::Waiting { ahead, .. } => self.line.wait(ahead),
            _ => None,
        }
    }

    /// Venue time.
    fn hour(&self, at: &NaiveDateTime) -> String {
        self.listing.event.clock().hour_minute_zone(at)
    }
}

impl DrawPage {
    /// The start of the HMAC, as openssl writes it.
    fn drawn_digits(&self) -> Option<String> {
        self.position.map(|position| format!("{:08x}", position.number() & 0xffff_ffff))
    }
}

/// `GET /events/{slug}/queue`
pub async fn show(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    slug: web::Path<String>,
    Query(query): Query<RoomQuery>,
) -> Result<HttpResponse, Error> {
    let listing = app.board.find_by_slug(&slug).ok_or(Error::NotFound)?;
    let Some((open, phase)) = find(&app, &listing) else {
        return Ok(see_other(&format!("/events/{}", listing.event.slug)).finish());
    };
    let address = AddressField { has_asked: !query.asked.is_empty(), ..AddressField::default() };
    respond(&request, page, &app, (listing, open, phase), address, StatusCode::OK).await
}

/// The room as it is to this visitor.
pub(super) async fn respond(
    request: &HttpRequest,
    page: Page,
    app: &App,
    (listing, open, phase): (Arc<Listing>, Arc<OpenRoom>, RoomPhase),
    address: AddressField,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let place = QueuePlace::of_request(&app.cookies, request, &open.room, app.board.now());
    let kept = Pass::of_request(&app.cookies, app.rooms.passes(), request, &open.room, app.board.now());
    let stage = stage(app, &open, phase, place, kept).await?;
    let pass = match &stage {
        RoomStage::Turn { pass } => Some(pass.cookie(&app.cookies, listing.event.id)),
        _ => None,
    };
    let mut line = view(app, &open, &listing, phase);
    if matches!(stage, RoomStage::Lobby(_)) {
        // The visitor's own arrival may not be counted yet.
        line.people = line.people.max(1);
    }
    let place_url = match &stage {
        RoomStage::Lobby(place) | RoomStage::Waiting { place, .. } => {
            let token = app.rooms.place_links().token(&open.room, place);
            Some(format!("{}/events/{}/queue/place/{token}", app.public_url, listing.event.slug))
        }
        _ => None,
    };
    let registers = open.room.registration;
    let shown = RoomPage { page: page.clone(), listing, line, stage, place_url, registers, address };
    let mut response = page.respond_unlisted::<Error>(status, &shown)?;
    if let Some(pass) = pass {
        response.add_cookie(&pass).map_err(|e| Error::Internal(e.to_string()))?;
    }
    Ok(response)
}

/// `POST /events/{slug}/queue`: takes a place. A visitor who has one keeps it, unless its pass was used or
/// has expired.
pub async fn create(
    request: HttpRequest,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let listing = app.board.find_by_slug(&slug).ok_or(Error::NotFound)?;
    let event_id = listing.event.id;
    let mut response = see_other(&format!("/events/{}/queue", listing.event.slug));
    // Where places are given by email, nobody takes one here.
    let found = find(&app, &listing).filter(|(open, _)| !open.room.registration);
    let Some((open, phase)) = found else { return Ok(response.finish()) };
    let place = QueuePlace::of_request(&app.cookies, &request, &open.room, app.board.now());
    let stage = stage(&app, &open, phase, place, None).await?;
    if matches!(stage, RoomStage::Offer | RoomStage::Over | RoomStage::Booked(_)) {
        let sale_start = rooms::sale_start(&listing);
        let place = QueuePlace::generate(open.room.arrival(sale_start, app.board.now()));
        app.rooms.note_arrival(&open, place.arrived_at);
        response.cookie(place.cookie(&app.cookies, &open.room, listing.event.ends_at - app.board.now()));
        response.cookie(Pass::removal(&app.cookies, event_id));
    }
    Ok(response.finish())
}

/// `GET /events/{slug}/queue/line`: how far the line is, the same for everybody; 304 while nothing has changed.
pub async fn line(
    request: HttpRequest,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let listing = app.board.find_by_slug(&slug).ok_or(Error::NotFound)?;
    let (open, phase) = find(&app, &listing).ok_or(Error::NotFound)?;
    let fragment = open
        .fragment(phase, app.rooms.have_stopped(), || fragment::render(view(&app, &open, &listing, phase)))?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((ETAG, fragment.etag.clone()))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static(FRESHNESS)));
    if request.headers().get(IF_NONE_MATCH) == Some(&fragment.etag) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")));
    Ok(response.body(fragment.html.clone()))
}

/// `GET /events/{slug}/queue/draw`: how the lobby is drawn, and how to check one's own place.
pub async fn draw(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let listing = app.board.find_by_slug(&slug).ok_or(Error::NotFound)?;
    let (open, _) = find(&app, &listing).ok_or(Error::NotFound)?;
    let place = QueuePlace::of_request(&app.cookies, &request, &open.room, app.board.now());
    let position = place.as_ref().and_then(|place| open.position(place));
    page.clone().respond_unlisted(StatusCode::OK, &DrawPage { page, listing, open, place, position })
}

/// The room of a concert, where there is one now.
pub(super) fn find(app: &App, listing: &Listing) -> Option<(Arc<OpenRoom>, RoomPhase)> {
    let open = app.rooms.find(listing.event.id)?;
    let phase = rooms::phase(&open, listing, app.board.now());
    let is_over = listing.is_over() || listing.sales_have_ended() || phase == RoomPhase::Idle;
    (!is_over).then_some((open, phase))
}

fn view(app: &App, open: &OpenRoom, listing: &Listing, phase: RoomPhase) -> LineView {
    LineView::new(open, listing, phase, app.board.pace().seconds, app.rooms.have_stopped())
}
