//! `/admin/gates`, `/admin/gates/{id}/revocation`: the organizer opens gates by links, with the password, and revokes
//! them.

use actix_web::cookie::SameSite;
use actix_web::cookie::time::Duration;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{NaiveDateTime, Utc};
use diesel::QueryResult;
use serde::Deserialize;

use super::refusal;
use crate::app::App;
use crate::auth::access::Organizer;
use crate::auth::reauthentication::check_again;
use crate::auth::token;
use crate::db::Db;
use crate::error::Error;
use crate::events::Event;
use crate::guard::form::Form;
use crate::page::{Page, Toast, see_other, see_other_with};
use crate::tickets::attendance::Conflict;
use crate::tickets::gate::{Gate, parse_name};
use crate::tickets::gate_link::{GateLink, LinkEnd};
use crate::tickets::pages::upcoming;
use crate::tickets::qr::QrCode;
use crate::tickets::scan::night_ends;
use crate::tickets::store;

/// Carries a new link to the page that shows it. It is shown for a while, because the database holds only its
/// hash.
const NEW_LINK_COOKIE: &str = "new_gate";
const NEW_LINK_SHOWN: Duration = Duration::minutes(10);

type ConflictsOfConcerts = Vec<(Event, Vec<Conflict>)>;

/// For how many concerts the page lists offline scans that were refused later.
const CONCERTS_OF_CONFLICTS: usize = 5;

#[derive(Template)]
#[template(path = "admin/gates.html")]
struct GatesPage {
    page: Page,
    events: Vec<Event>,
    gate: Gate,
    errors: GateErrors,
    gates: Vec<ListedGate>,
    /// Those at the concerts of these gates.
    conflicts: ConflictsOfConcerts,
    new: Option<NewLink>,
}

#[derive(Default)]
struct GateErrors {
    name: Option<&'static str>,
    password: Option<String>,
}

impl GateErrors {
    fn of_name(words: &'static str) -> Self {
        Self { name: Some(words), password: None }
    }
}

/// The password is never sent back.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct NewGateForm {
    event: String,
    gate: String,
    password: String,
}

/// A link that was just made.
struct NewLink {
    name: String,
    event: String,
    url: String,
    qr: String,
}

struct ListedGate {
    link: GateLink,
    event: Event,
    end: Option<LinkEnd>,
}

impl ListedGate {
    fn time(&self, at: &NaiveDateTime) -> String {
        self.event.clock().minute(at)
    }

    fn ends(&self) -> String {
        self.event.clock().minute(&night_ends(&self.event))
    }
}

/// `GET /admin/gates`
pub async fn index(
    request: HttpRequest,
    page: Page,
    _: Organizer,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let new = app.cookies.open_dated(&request, NEW_LINK_COOKIE);
    let shown = load(page.clone(), &app, Gate::default(), GateErrors::default(), new).await?;
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `POST /admin/gates`: makes a link.
pub async fn create(
    request: HttpRequest,
    page: Page,
    Organizer(mut admin): Organizer,
    app: web::Data<App>,
    Form(form): Form<NewGateForm>,
) -> Result<HttpResponse, Error> {
    let gate = Gate { event: form.event, gate: form.gate };
    let event = app.board.find_by_slug(&gate.event).ok_or(Error::NotFound)?.event.clone();
    let name = match parse_name(&gate.gate) {
        Ok(name) => name,
        Err(error) => {
            let shown = load(page.clone(), &app, gate, GateErrors::of_name(error), None).await?;
            return page.respond_unlisted(StatusCode::UNPROCESSABLE_ENTITY, &shown);
        }
    };
    if let Err(refusal) = check_again(&request, &app.auth, &mut admin, form.password).await? {
        let password = Some(refusal::sentence(refusal, "Wrong password. No link was made."));
        let shown = load(page.clone(), &app, gate, GateErrors { name: None, password }, None).await?;
        return refusal::respond(&page, refusal, &shown);
    }
    let opened = token::random();
    let (hash, actor) = (token::hash(&opened), admin.actor());
    let now = Utc::now().naive_utc();
    let made = app.db.write(move |db| store::gates::create(db, &event, &name, &hash, &actor, now)).await?;
    let Some(link) = made else {
        let errors =
            GateErrors::of_name("This concert already has an open gate with that name. Choose another one.");
        let shown = load(page.clone(), &app, gate, errors, None).await?;
        return page.respond_unlisted(StatusCode::CONFLICT, &shown);
    };
    let cookie = app.cookies.dated(NEW_LINK_COOKIE, &format!("{} {opened}", link.id), NEW_LINK_SHOWN);
    let cookie = cookie.same_site(SameSite::Strict).finish();
    Ok(see_other("/admin/gates").cookie(cookie).finish())
}

/// `POST /admin/gates/{id}/revocation`
pub async fn revoke(
    Organizer(admin): Organizer,
    app: web::Data<App>,
    id: web::Path<i64>,
) -> Result<HttpResponse, Error> {
    let (id, actor) = (*id, admin.actor());
    let now = Utc::now().naive_utc();
    let is_revoked = app.db.write(move |db| store::gates::revoke(db, id, &actor, now)).await?;
    let toast = if is_revoked {
        Toast::success("Link revoked. It no longer works.")
    } else {
        Toast::failure("This link was already revoked.")
    };
    Ok(see_other_with(&app.cookies, "/admin/gates", &toast))
}

/// The links, and the conflicts at the concerts of the newest ones.
fn links_and_conflicts(db: &mut Db) -> QueryResult<(Vec<(GateLink, Event)>, ConflictsOfConcerts)> {
    let links = store::gates::list(db)?;
    let mut events: Vec<&Event> = Vec::new();
    for (_, event) in &links {
        if events.len() < CONCERTS_OF_CONFLICTS && !events.iter().any(|it| it.id == event.id) {
            events.push(event);
        }
    }
    let mut conflicts = Vec::new();
    for event in events {
        conflicts.push((event.clone(), store::history::conflicts(db, event.id)?));
    }
    Ok((links, conflicts))
}

async fn load(
    page: Page,
    app: &App,
    mut gate: Gate,
    errors: GateErrors,
    new: Option<String>,
) -> Result<GatesPage, Error> {
    let (found, conflicts) = app.db.read_primary(links_and_conflicts).await?;
    let now = Utc::now().naive_utc();
    let listed = |(link, event): (GateLink, Event)| {
        let end = link.end(&event, now);
        ListedGate { link, event, end }
    };
    let gates: Vec<ListedGate> = found.into_iter().map(listed).collect();
    let new = new.and_then(|new| {
        let (id, token) = new.split_once(' ')?;
        let gate = gates.iter().find(|gate| gate.link.id.to_string() == id && gate.end.is_none())?;
        let url = format!("{}/gates/{token}", app.public_url);
        let (name, event) = (gate.link.name.clone(), gate.event.name.clone());
        Some(NewLink { name, event, qr: QrCode::of(&url).svg(), url })
    });
    let events = upcoming(app, &mut gate);
    Ok(GatesPage { page, events, gate, errors, gates, conflicts, new })
}
