//! `/admin/reseed`: deletes the bookings of the seed's concert and puts it on sale again. The page lists what will
//! be lost, and asks for the concert's name and the password, because this cannot be undone.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{refusal, store};
use crate::app::App;
use crate::auth::access::Owner;
use crate::auth::reauthentication::check_again;
use crate::error::Error;
use crate::events::{Event, seed};
use crate::guard::form::Form;
use crate::money::{Money, grouped};
use crate::page::{Page, Toast, see_other, toast_cookie};

#[derive(Template)]
#[template(path = "admin/reseed.html")]
struct ReseedPage {
    page: Page,
    losses: Losses,
    /// The concert's name as typed. A password is never sent back.
    typed: String,
    errors: ReseedErrors,
    allowed: bool,
}

/// What is thrown away.
pub struct Losses {
    pub event: Event,
    pub confirmed: i64,
    pub held: i64,
    /// Canceled and expired ones.
    pub ended: i64,
    /// Tickets of confirmed bookings.
    pub sold: i64,
    /// Tickets of held ones.
    pub held_tickets: i64,
    /// What the sold tickets cost.
    pub revenue: Money,
    /// At the gates.
    pub scans: i64,
    /// There are payments of real money, even ones that came to nothing: then nothing is thrown away.
    pub has_real_payments: bool,
}

impl Losses {
    fn bookings(&self) -> i64 {
        self.confirmed + self.held + self.ended
    }

    /// What else is thrown away, beside confirmed bookings: "1 held booking with 2 tickets, 3 canceled or expired
    /// bookings".
    fn more(&self) -> String {
        let some = |count: i64, one: &str, many: &str| {
            (count > 0).then(|| format!("{} {}", grouped(count), if count == 1 { one } else { many }))
        };
        let held = some(self.held, "held booking", "held bookings");
        let of_held = some(self.held_tickets, "ticket", "tickets").unwrap_or_default();
        let parts = [
            held.map(|held| format!("{held} with {of_held}")),
            some(self.ended, "canceled or expired booking", "canceled or expired bookings"),
            some(self.scans, "scan", "scans"),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// An error for each field.
#[derive(Default)]
struct ReseedErrors {
    event_name: Option<&'static str>,
    password: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ReseedForm {
    event_name: String,
    password: String,
}

/// `GET /admin/reseed`
pub async fn new(page: Page, _: Owner, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let status = if app.allow_reseed { StatusCode::OK } else { StatusCode::FORBIDDEN };
    ask(page, &app, status, String::new()).await
}

/// `POST /admin/reseed`
pub async fn create(
    page: Page,
    Owner(mut admin): Owner,
    app: web::Data<App>,
    request: HttpRequest,
    Form(form): Form<ReseedForm>,
) -> Result<HttpResponse, Error> {
    let ReseedForm { event_name: typed, password } = form;
    if !app.allow_reseed {
        return ask(page, &app, StatusCode::FORBIDDEN, typed).await;
    }
    // The name that the page shows: the concert may have been renamed since it was seeded.
    let losses = count(&app).await?;
    if typed.trim() != losses.event.name {
        let event_name = Some("That's not the concert's name. Nothing was deleted.");
        let errors = ReseedErrors { event_name, password: None };
        let question = ReseedPage { page: page.clone(), losses, typed, errors, allowed: true };
        return page.respond_unlisted(StatusCode::UNPROCESSABLE_ENTITY, &question);
    }
    if losses.has_real_payments {
        return ask(page, &app, StatusCode::CONFLICT, typed).await;
    }
    if let Err(refusal) = check_again(&request, &app.auth, &mut admin, password).await? {
        let password = Some(refusal::sentence(refusal, "Wrong password. Nothing was deleted."));
        let errors = ReseedErrors { event_name: None, password };
        let question = ReseedPage { page: page.clone(), losses, typed, errors, allowed: true };
        return refusal::respond(&page, refusal, &question);
    }
    let actor = admin.actor();
    let reseed = app.db.write(move |db| store::reseed(db, &seed::concert(), &actor));
    let deleted = reseed.await?;
    app.desk.restocked();
    app.board.refresh_from_primary(&app.db).await?;
    app.board.announce_everything();
    log::warn!("the sale was reset: {deleted} bookings deleted");
    let toast = Toast::success(match deleted {
        1 => "Sale reset. 1 booking deleted.".to_owned(),
        deleted => format!("Sale reset. {} bookings deleted.", grouped(deleted)),
    });
    Ok(see_other("/admin").cookie(toast_cookie(&app.cookies, &toast)).finish())
}

async fn ask(page: Page, app: &App, status: StatusCode, typed: String) -> Result<HttpResponse, Error> {
    let (losses, errors) = (count(app).await?, ReseedErrors::default());
    let question = ReseedPage { page: page.clone(), losses, typed, errors, allowed: app.allow_reseed };
    page.respond_unlisted(status, &question)
}

async fn count(app: &App) -> Result<Losses, Error> {
    app.db.read_primary(|db| store::losses::of_concert(db, seed::concert().slug)).await
}
