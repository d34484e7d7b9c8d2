//! `/admin/reseed`: deletes the bookings of the seed's concert and puts it on sale again. The page lists what will
//! be lost, and asks for the concert's name and the password, because this cannot be undone.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{refusal, store};
use crate::app::App;
use crate::audit::Action;
use crate::auth::access::Owner;
use crate::auth::authentication::Attempt;
use crate::auth::store::throttle;
use crate::db::Db;
use crate::error::Error;
use crate::events::seed;
use crate::guard::form::Form;
use crate::page::{Page, Toast, see_other, toast_cookie};
use crate::payment::store::reset::has_real_payments;
use crate::sales::{self, Sales};

#[derive(Template)]
#[template(path = "admin/reseed.html")]
struct ReseedPage {
    page: Page,
    sales: Sales,
    /// The concert's name as typed. A password is never sent back.
    typed: String,
    errors: ReseedErrors,
    allowed: bool,
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
    Owner(admin): Owner,
    app: web::Data<App>,
    request: HttpRequest,
    Form(form): Form<ReseedForm>,
) -> Result<HttpResponse, Error> {
    let ReseedForm { event_name: typed, password } = form;
    if !app.allow_reseed {
        return ask(page, &app, StatusCode::FORBIDDEN, typed).await;
    }
    let concert = seed::concert();
    if typed.trim() != concert.name {
        let event_name = Some("That's not the concert's name. Nothing was deleted.");
        let errors = ReseedErrors { event_name, password: None };
        let question = question(page.clone(), &app, typed, errors).await?;
        return page.respond_unlisted(StatusCode::UNPROCESSABLE_ENTITY, &question);
    }
    if app.db.read_primary(move |db| has_real_payments(db, seed::concert().slug)).await? {
        let event_name =
            Some("Tickets of this concert were paid for online, so its bookings stay. Nothing was deleted.");
        let errors = ReseedErrors { event_name, password: None };
        let question = question(page.clone(), &app, typed, errors).await?;
        return page.respond_unlisted(StatusCode::CONFLICT, &question);
    }
    let attempt = Attempt::new(&request, &app.auth, &admin.username, password, Action::PasswordRefused);
    let proof = match attempt.check(&app.auth).await? {
        Ok(proof) => proof,
        Err(refusal) => {
            let password = Some(refusal::sentence(refusal, "Wrong password. Nothing was deleted."));
            let errors = ReseedErrors { event_name: None, password };
            let question = question(page.clone(), &app, typed, errors).await?;
            return refusal::respond(&page, refusal, &question);
        }
    };
    let actor = admin.actor();
    let reseed = app.db.write(move |db| {
        throttle::reset_after_success(db, &proof.counters)?;
        store::reseed(db, &concert, &actor)
    });
    let deleted = reseed.await?;
    app.desk.restocked();
    app.board.refresh_from_primary(&app.db).await?;
    app.board.announce_everything();
    log::warn!("the sale was reset: {deleted} bookings deleted");
    let toast = Toast::success(match deleted {
        1 => "Sale reset. 1 booking deleted.".to_owned(),
        deleted => format!("Sale reset. {deleted} bookings deleted."),
    });
    Ok(see_other("/admin").cookie(toast_cookie(&app.cookies, &toast)).finish())
}

async fn ask(page: Page, app: &App, status: StatusCode, typed: String) -> Result<HttpResponse, Error> {
    let question = question(page.clone(), app, typed, ReseedErrors::default()).await?;
    page.respond_unlisted(status, &question)
}

async fn question(page: Page, app: &App, typed: String, errors: ReseedErrors) -> Result<ReseedPage, Error> {
    let counter = app.heavy_work.sales.remembered.clone();
    let read = move |db: &mut Db| sales::store::find(db, seed::concert().slug, &counter);
    let sales = app.db.read_primary(read).await?;
    app.heavy_work.sales.count_behind(&app.db, std::slice::from_ref(&sales));
    Ok(ReseedPage { page, sales, typed, errors, allowed: app.allow_reseed })
}
