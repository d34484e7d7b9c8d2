//! `/admin/check-in`, `/admin/check-in/gate`, `/admin/check-in/turnout`, `/admin/check-in/admissions`,
//! `/admin/check-in/revocation`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::scanning::{self, Answered, ScanForm};
use super::{Entrance, GateView, turnout, upcoming};
use crate::app::App;
use crate::auth::access::{GateStaff, PollingGateStaff};
use crate::auth::return_path::Resumed;
use crate::auth::session::Admin;
use crate::error::Error;
use crate::events::Event;
use crate::guard::form::{Form, Query};
use crate::page::{Page, see_other};
use crate::role::AccountRole;
use crate::tickets::gate::{Gate, parse_name};
use crate::tickets::scan::{Place, ScanDecision};
use crate::tickets::store;

const URL: &str = "/admin/check-in";

#[derive(Template)]
#[template(path = "admin/check_in.html")]
struct CheckInPage {
    page: Page,
    desk: GateView,
}

/// Asks a device where it stands.
#[derive(Template)]
#[template(path = "admin/gate.html")]
struct GatePage {
    page: Page,
    events: Vec<Event>,
    gate: Gate,
    error: Option<&'static str>,
}

/// `GET /admin/check-in`: the gate's page, or the question which gate it is.
pub async fn show(
    request: HttpRequest,
    page: Page,
    GateStaff(admin): GateStaff,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let gate = Gate::remembered(&app.cookies, &request).unwrap_or_default();
    match entrance(&app, gate.clone(), &admin) {
        Ok(entrance) => respond(page, &app, entrance, Answered::default()).await,
        Err(_) => ask(page, &app, gate, StatusCode::OK, None),
    }
}

/// `GET /admin/check-in/gate`: asks the same question again.
pub async fn edit_gate(
    request: HttpRequest,
    page: Page,
    _: GateStaff,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let gate = Gate::remembered(&app.cookies, &request).unwrap_or_default();
    ask(page, &app, gate, StatusCode::OK, None)
}

/// `POST /admin/check-in/gate`: the device remembers where it stands.
pub async fn update_gate(
    page: Page,
    _: GateStaff,
    app: web::Data<App>,
    Resumed(is_resumed): Resumed,
    Form(gate): Form<Gate>,
) -> Result<HttpResponse, Error> {
    if is_resumed {
        return ask(page, &app, gate, StatusCode::OK, None);
    }
    let event_id = app.board.find_by_slug(&gate.event).ok_or(Error::NotFound)?.event.id;
    let name = match parse_name(&gate.gate) {
        Ok(name) => name,
        Err(message) => return ask(page, &app, gate, StatusCode::UNPROCESSABLE_ENTITY, Some(message)),
    };
    // A device beside one with a link belongs to the same gate, so it takes over that spelling of the name.
    let typed = name.clone();
    let open = app.db.read_primary(move |db| store::gates::same_name(db, event_id, &typed)).await?;
    let gate = Gate { gate: open.unwrap_or(name), ..gate };
    Ok(see_other(URL).cookie(gate.cookie(&app.cookies)).finish())
}

/// `POST /admin/check-in`: lets a ticket in, says why not, or finds tickets.
pub async fn create(
    page: Page,
    GateStaff(admin): GateStaff,
    app: web::Data<App>,
    Resumed(is_resumed): Resumed,
    Form(form): Form<ScanForm>,
) -> Result<HttpResponse, Error> {
    let entrance = entrance(&app, form.place(), &admin)?;
    if is_resumed {
        let typed = form.code.clone();
        return respond(page, &app, entrance, Answered { typed, ..Answered::default() }).await;
    }
    let answered = scanning::scan(&app, &entrance, &form).await?;
    respond(page, &app, entrance, answered).await
}

/// `POST /admin/check-in/admissions`: lets in a ticket that was found without its code.
pub async fn admit_by_hand(
    page: Page,
    GateStaff(admin): GateStaff,
    app: web::Data<App>,
    Form(form): Form<ScanForm>,
) -> Result<HttpResponse, Error> {
    let entrance = entrance(&app, form.place(), &admin)?;
    let answered = scanning::admit_by_hand(&app, &entrance, &form).await?;
    respond(page, &app, entrance, answered).await
}

/// `POST /admin/check-in/revocation`: takes an admission back.
pub async fn revoke(
    page: Page,
    GateStaff(admin): GateStaff,
    app: web::Data<App>,
    Form(form): Form<ScanForm>,
) -> Result<HttpResponse, Error> {
    let entrance = entrance(&app, form.place(), &admin)?;
    let answered = scanning::revoke(&app, &entrance, &form).await?;
    respond(page, &app, entrance, answered).await
}

/// `GET /admin/check-in/turnout`: the part that refreshes itself.
pub async fn attendance(
    page: Page,
    watching: PollingGateStaff,
    app: web::Data<App>,
    Query(gate): Query<Gate>,
) -> Result<HttpResponse, Error> {
    let entrance = entrance(&app, gate, &watching.0)?;
    turnout(&page, &app, entrance).await
}

/// The place that a form, or the device's cookie, names.
fn entrance(app: &App, gate: Gate, admin: &Admin) -> Result<Entrance, Error> {
    let event = app.board.find_by_slug(&gate.event).ok_or(Error::NotFound)?.event.clone();
    let name = parse_name(&gate.gate).map_err(|_| Error::NotFound)?;
    let place = Place { event, gate: name, gate_id: None, actor: admin.actor() };
    Ok(Entrance { place, url: URL.into(), undoes_any: admin.role.may(AccountRole::BoxOffice) })
}

fn ask(
    page: Page,
    app: &App,
    mut gate: Gate,
    status: StatusCode,
    error: Option<&'static str>,
) -> Result<HttpResponse, Error> {
    let events = upcoming(app, &mut gate);
    page.clone().respond_unlisted(status, &GatePage { page, events, gate, error })
}

async fn respond(
    page: Page,
    app: &App,
    entrance: Entrance,
    answered: Answered,
) -> Result<HttpResponse, Error> {
    super::respond(page, app, entrance, answered, |page, desk| CheckInPage { page, desk }).await
}
