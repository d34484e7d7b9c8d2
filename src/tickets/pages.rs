//! `/admin/check-in`, `/admin/check-in/gate`, `/admin/check-in/turnout`, `/admin/check-in/revocation`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{NaiveDateTime, Utc};
use serde::Deserialize;

use super::answer::GateAnswer;
use super::code::{Code, CodeError};
use super::gate::{Gate, parse_name};
use super::{Attendance, Holder, RecentScan, RefusedScan, Scan, store};
use crate::app::App;
use crate::auth::session::{Admin, PollingAdmin};
use crate::error::Error;
use crate::events::Event;
use crate::events::pace::Pace;
use crate::guard::form::{Form, Query};
use crate::page::{Page, html, see_other};

/// How many of a gate's latest answers are shown.
const LATEST: i64 = 8;
/// How much of a text that is no code is kept.
const TYPED_KEPT: usize = 40;

#[derive(Template)]
#[template(path = "admin/check_in.html", blocks = ["answers", "attendance"])]
struct CheckInPage {
    page: Page,
    events: Vec<Event>,
    event: Event,
    gate: Gate,
    answer: Option<GateAnswer>,
    /// What is still to be corrected in the field.
    typed: String,
    attendance: Attendance,
    latest: Vec<RecentScan>,
    pace: Pace,
    codes: super::code::TicketCodes,
}

impl CheckInPage {
    fn clock(&self, at: NaiveDateTime) -> String {
        self.event.clock().time_of_day(&at)
    }

    /// The code that an admission is taken back by.
    fn code(&self, holder: &Holder) -> String {
        self.codes.sign(&holder.reference, holder.seat).unwrap_or_default()
    }

    /// What the field says when its code has to be corrected.
    fn field_error(&self) -> Option<&str> {
        let answer = self.answer.as_ref()?;
        (answer.status == StatusCode::UNPROCESSABLE_ENTITY).then_some(&answer.explanation)
    }
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

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CheckInForm {
    code: String,
    #[serde(flatten)]
    gate: Gate,
}

/// `GET /admin/check-in`: the gate's page, or the question which gate it is.
pub async fn show(
    request: HttpRequest,
    page: Page,
    _: Admin,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let gate = Gate::remembered(&app.cookies, &request).unwrap_or_default();
    match find_event(&app, &gate) {
        Some(event) => {
            let check_in = load(page.clone(), &app, event, gate, None, String::new()).await?;
            page.respond_unlisted(StatusCode::OK, &check_in)
        }
        None => ask(page, &app, gate, StatusCode::OK, None),
    }
}

/// `GET /admin/check-in/gate`: the same question when it was answered before.
pub async fn edit_gate(
    request: HttpRequest,
    page: Page,
    _: Admin,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let gate = Gate::remembered(&app.cookies, &request).unwrap_or_default();
    ask(page, &app, gate, StatusCode::OK, None)
}

/// `POST /admin/check-in/gate`: the device remembers where it stands.
pub async fn update_gate(
    page: Page,
    _: Admin,
    app: web::Data<App>,
    Form(gate): Form<Gate>,
) -> Result<HttpResponse, Error> {
    if find_event(&app, &gate).is_none() {
        return Err(Error::NotFound);
    }
    match parse_name(&gate.gate) {
        Ok(name) => {
            Ok(see_other("/admin/check-in").cookie(Gate { gate: name, ..gate }.cookie(&app.cookies)).finish())
        }
        Err(message) => ask(page, &app, gate, StatusCode::UNPROCESSABLE_ENTITY, Some(message)),
    }
}

/// `POST /admin/check-in`: lets a ticket in, or says why not.
pub async fn create(
    page: Page,
    admin: Admin,
    app: web::Data<App>,
    Form(form): Form<CheckInForm>,
) -> Result<HttpResponse, Error> {
    let CheckInForm { code: typed, gate } = form;
    let (event, gate) = find_place(&app, gate)?;
    let answer = match app.ticket_codes.verify(&typed) {
        Ok(code) => admit(&app, &event, scan(code, &event, &gate, admin)).await?,
        Err(CodeError::Foreign) => refuse(&app, &event, foreign(&typed, &gate, admin)).await?,
        Err(error) => GateAnswer::to_code_error(error),
    };
    let typed = if answer.status == StatusCode::UNPROCESSABLE_ENTITY { typed } else { String::new() };
    respond(page, &app, event, gate, answer, typed).await
}

/// `POST /admin/check-in/revocation`: takes an admission back.
pub async fn revoke(
    page: Page,
    admin: Admin,
    app: web::Data<App>,
    Form(form): Form<CheckInForm>,
) -> Result<HttpResponse, Error> {
    let CheckInForm { code, gate } = form;
    let (event, gate) = find_place(&app, gate)?;
    let code = app.ticket_codes.verify(&code).map_err(|_| Error::NotFound)?;
    let scan = scan(code, &event, &gate, admin);
    let revoked = app.db.write(move |db| store::revoke(db, &scan)).await?;
    respond(page, &app, event, gate, GateAnswer::to_revocation(revoked), String::new()).await
}

/// `GET /admin/check-in/turnout`: the part that refreshes itself.
pub async fn attendance(
    page: Page,
    _: PollingAdmin,
    app: web::Data<App>,
    Query(gate): Query<Gate>,
) -> Result<HttpResponse, Error> {
    let (event, gate) = find_place(&app, gate)?;
    let check_in = load(page.clone(), &app, event, gate, None, String::new()).await?;
    Ok(page.unlisted_builder(StatusCode::OK).body(html(&check_in.as_attendance())?))
}

fn events(app: &App) -> Vec<Event> {
    app.board.listings().iter().map(|listing| listing.event.clone()).collect()
}

fn find_event(app: &App, gate: &Gate) -> Option<Event> {
    Some(app.board.find_by_slug(&gate.event)?.event.clone())
}

/// The place that a form of ours names.
fn find_place(app: &App, gate: Gate) -> Result<(Event, Gate), Error> {
    let event = find_event(app, &gate).ok_or(Error::NotFound)?;
    let name = parse_name(&gate.gate).map_err(|_| Error::NotFound)?;
    Ok((event, Gate { gate: name, ..gate }))
}

fn ask(
    page: Page,
    app: &App,
    gate: Gate,
    status: StatusCode,
    error: Option<&'static str>,
) -> Result<HttpResponse, Error> {
    page.clone().respond_unlisted(status, &GatePage { page, events: events(app), gate, error })
}

fn scan(code: Code, event: &Event, gate: &Gate, admin: Admin) -> Scan {
    let at = Utc::now().naive_utc();
    Scan { code, event_id: event.id, gate: gate.gate.clone(), actor: admin.actor(), at }
}

async fn admit(app: &App, event: &Event, scan: Scan) -> Result<GateAnswer, Error> {
    let (clock, at) = (event.clock(), scan.at);
    let outcome = app.db.write(move |db| store::admit(db, &scan)).await?;
    Ok(GateAnswer::to_scan(outcome, clock, at))
}

/// A code that nobody here has made: what was typed is kept, as far as a text of PostgreSQL can hold it.
fn foreign(typed: &str, gate: &Gate, admin: Admin) -> RefusedScan {
    let ticket = typed.chars().filter(|c| !c.is_control()).take(TYPED_KEPT).collect();
    let (gate, at) = (gate.gate.clone(), Utc::now().naive_utc());
    RefusedScan { ticket, reason: "unknown", gate, actor: admin.username, at }
}

async fn refuse(app: &App, event: &Event, refusal: RefusedScan) -> Result<GateAnswer, Error> {
    log::warn!("check-in refused an unknown code at {}", refusal.gate);
    let event_id = event.id;
    app.db.write(move |db| store::insert_refusal(db, event_id, &refusal)).await?;
    Ok(GateAnswer::to_code_error(CodeError::Foreign))
}

/// A page for plain forms, or the parts of it that have changed, each for its own place.
async fn respond(
    page: Page,
    app: &App,
    event: Event,
    gate: Gate,
    answer: GateAnswer,
    typed: String,
) -> Result<HttpResponse, Error> {
    let status = answer.status;
    let check_in = load(page.clone(), app, event, gate, Some(answer), typed).await?;
    if page.wants_fragment {
        return Ok(page.unlisted_builder(status).body(html(&check_in.as_answers())?));
    }
    page.respond_unlisted(status, &check_in)
}

async fn load(
    page: Page,
    app: &App,
    event: Event,
    gate: Gate,
    answer: Option<GateAnswer>,
    typed: String,
) -> Result<CheckInPage, Error> {
    let (id, name) = (event.id, gate.gate.clone());
    let read =
        move |db: &mut crate::db::Db| Ok((store::attendance(db, id)?, store::latest(db, id, &name, LATEST)?));
    let (attendance, latest) = app.db.read_primary(read).await?;
    let (pace, codes) = (app.board.pace(), app.ticket_codes.clone());
    Ok(CheckInPage { page, events: events(app), event, gate, answer, typed, attendance, latest, pace, codes })
}
