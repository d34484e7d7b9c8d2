//! `/gates/{token}` and what is below it: the gate of a link, without the organizer's password.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::scanning::{self, Answered, ScanForm};
use super::{Entrance, GateView, turnout};
use crate::app::App;
use crate::auth::token;
use crate::error::Error;
use crate::guard::client_address;
use crate::guard::form::Form;
use crate::page::Page;
use crate::tickets::gate_link::LinkEnd;
use crate::tickets::scan::ScanDecision;
use crate::tickets::store;

#[derive(Template)]
#[template(path = "check_in/show.html")]
struct GateLinkPage {
    page: Page,
    desk: GateView,
}

/// The gate that the link in the URL opens. A handler that takes one serves nobody without a valid link.
pub struct LinkEntrance(Entrance);

impl FromRequest for LinkEntrance {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app: &web::Data<App> =
                request.app_data().ok_or_else(|| Error::Internal("no App in the app's data".into()))?;
            let opened = request.match_info().get("token").unwrap_or_default();
            let hash = token::hash(opened);
            let found = app.db.read_primary(move |db| store::gates::find(db, &hash)).await?;
            let (link, event) = found.ok_or(Error::NotFound)?;
            match link.end(&event, Utc::now().naive_utc()) {
                None => {
                    let client_address = client_address::of(&request).to_string();
                    let url = format!("/gates/{opened}");
                    let place = link.place(event, client_address);
                    Ok(Self(Entrance { place, url, undoes_any: false }))
                }
                Some(LinkEnd::Revoked) => Err(Error::Gone {
                    title: "This gate is closed",
                    explanation: "The organizer has revoked this link. Ask the organizer for a new one.",
                }),
                Some(LinkEnd::NightIsOver) => Err(Error::Gone {
                    title: "This concert is over",
                    explanation: "This link was for a concert that has ended. Ask the organizer for a new one.",
                }),
            }
        })
    }
}

/// `GET /gates/{token}`
pub async fn show(
    page: Page,
    LinkEntrance(entrance): LinkEntrance,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    respond(page, &app, entrance, Answered::default()).await
}

/// `POST /gates/{token}`: lets a ticket in, says why not, or finds tickets.
pub async fn create(
    page: Page,
    LinkEntrance(entrance): LinkEntrance,
    app: web::Data<App>,
    Form(form): Form<ScanForm>,
) -> Result<HttpResponse, Error> {
    let answered = scanning::scan(&app, &entrance, &form).await?;
    respond(page, &app, entrance, answered).await
}

/// `POST /gates/{token}/admissions`: lets in a ticket that was found without its code.
pub async fn admit_by_hand(
    page: Page,
    LinkEntrance(entrance): LinkEntrance,
    app: web::Data<App>,
    Form(form): Form<ScanForm>,
) -> Result<HttpResponse, Error> {
    let answered = scanning::admit_by_hand(&app, &entrance, &form).await?;
    respond(page, &app, entrance, answered).await
}

/// `POST /gates/{token}/revocation`: takes this gate's last admission back.
pub async fn revoke(
    page: Page,
    LinkEntrance(entrance): LinkEntrance,
    app: web::Data<App>,
    Form(form): Form<ScanForm>,
) -> Result<HttpResponse, Error> {
    let answered = scanning::revoke(&app, &entrance, &form).await?;
    respond(page, &app, entrance, answered).await
}

/// `GET /gates/{token}/turnout`: the part that refreshes itself.
pub async fn attendance(
    page: Page,
    LinkEntrance(entrance): LinkEntrance,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    turnout(&page, &app, entrance).await
}

async fn respond(
    page: Page,
    app: &App,
    entrance: Entrance,
    answered: Answered,
) -> Result<HttpResponse, Error> {
    super::respond(page, app, entrance, answered, |page, desk| GateLinkPage { page, desk }).await
}
