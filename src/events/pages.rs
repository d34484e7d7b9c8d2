//! `/`, `/events/{slug}`, `/events/{slug}/availability`

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, EntityTag, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{Event, TicketType, is_slug, store};
use crate::app::App;
use crate::assets;
use crate::booking::buyer::Buyer;
use crate::booking::request_key::RequestKey;
use crate::error::Error;
use crate::page::{Page, html};

#[derive(Template)]
#[template(path = "events/index.html")]
struct Index {
    page: Page,
    events: Vec<Event>,
}

#[derive(Template)]
#[template(path = "events/show.html")]
struct Show {
    page: Page,
    event: Event,
    ticket_types: Vec<TicketType>,
    express: Option<Express>,
}

/// What a returning buyer's page holds so that one click books.
pub struct Express {
    pub buyer: Buyer,
    pub request_key: RequestKey,
}

#[derive(Template)]
#[template(path = "events/show.html", block = "availability")]
struct Availability {
    event: Event,
    ticket_types: Vec<TicketType>,
}

/// `GET /`: the concert, or the list of them as soon as there are several.
pub async fn index(request: HttpRequest, page: Page, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let events = app.db.read(store::list).await?;
    match events.as_slice() {
        [event] => render_show(&request, page, &app, event.slug.clone()).await,
        _ => page.clone().respond(StatusCode::OK, &Index { page, events }),
    }
}

/// `GET /events/{slug}`
pub async fn show(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    render_show(&request, page, &app, slug.into_inner()).await
}

/// `GET /events/{slug}/availability`: the tiers as they are now; 304 while nothing has changed. The same
/// for everyone, so it may be kept for a second by whatever stands in front.
pub async fn availability(
    if_none_match: web::Header<IfNoneMatch>,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, ticket_types) = find(&app, slug.into_inner()).await?;
    let tag = entity_tag(&ticket_types);
    let mut response = HttpResponse::Ok();
    response.insert_header((ETAG, tag.clone())).insert_header((CACHE_CONTROL, "public, max-age=1"));
    if is_known(&if_none_match, &tag) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let body = html(&Availability { event, ticket_types })?;
    Ok(response.content_type("text/html; charset=utf-8").body(body))
}

async fn render_show(
    request: &HttpRequest,
    page: Page,
    app: &App,
    slug: String,
) -> Result<HttpResponse, Error> {
    let (event, ticket_types) = find(app, slug).await?;
    let express =
        Buyer::remembered(app, request).map(|buyer| Express { buyer, request_key: app.request_keys.mint() });
    page.clone().respond(StatusCode::OK, &Show { page, event, ticket_types, express })
}

async fn find(app: &App, slug: String) -> Result<(Event, Vec<TicketType>), Error> {
    if !is_slug(&slug) {
        return Err(Error::NotFound);
    }
    app.db.read(move |db| store::find_by_slug(db, &slug)).await
}

/// Made of the tiers' versions, so that every server gives the same state the same tag, and of the
/// stylesheet's name, which changes with a release that may draw it differently.
fn entity_tag(ticket_types: &[TicketType]) -> EntityTag {
    let versions = ticket_types.iter().map(|tier| format!("{}.{}", tier.id, tier.version));
    let release = assets::url("css/app.css");
    let release = release.rsplit('.').nth(1).unwrap_or_default();
    EntityTag::new_weak(format!("{}-{release}", versions.collect::<Vec<_>>().join("-")))
}

fn is_known(if_none_match: &IfNoneMatch, tag: &EntityTag) -> bool {
    match if_none_match {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(items) => items.iter().any(|item| item.weak_eq(tag)),
    }
}
