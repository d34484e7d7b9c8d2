//! `/admin/reseed`: deletes the bookings of the seed's concert and puts it on sale again. The page lists what will
//! be lost, and asks for the concert's name, because this cannot be undone.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{Sales, store};
use crate::app::App;
use crate::auth::return_path::Resumed;
use crate::auth::session::Admin;
use crate::error::Error;
use crate::events::seed;
use crate::guard::form::Form;
use crate::page::{Page, Toast, see_other, toast_cookie};

#[derive(Template)]
#[template(path = "admin/reseed.html")]
struct ReseedPage {
    page: Page,
    sales: Sales,
    typed: String,
    error: Option<&'static str>,
    allowed: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ReseedForm {
    event_name: String,
}

/// `GET /admin/reseed`
pub async fn new(page: Page, _: Admin, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let status = if app.allow_reseed { StatusCode::OK } else { StatusCode::FORBIDDEN };
    ask(page, &app, status, String::new(), None).await
}

/// `POST /admin/reseed`
pub async fn create(
    page: Page,
    admin: Admin,
    app: web::Data<App>,
    Resumed(is_resumed): Resumed,
    Form(form): Form<ReseedForm>,
) -> Result<HttpResponse, Error> {
    let typed = form.event_name;
    if !app.allow_reseed {
        return ask(page, &app, StatusCode::FORBIDDEN, typed, None).await;
    }
    if is_resumed {
        return ask(page, &app, StatusCode::OK, typed, None).await;
    }
    let concert = seed::concert();
    if typed.trim() != concert.name {
        let error = Some("That's not the concert's name. Nothing was deleted.");
        return ask(page, &app, StatusCode::UNPROCESSABLE_ENTITY, typed, error).await;
    }
    let actor = admin.actor();
    let deleted = app.db.write(move |db| store::reseed(db, &concert, &actor)).await?;
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

async fn ask(
    page: Page,
    app: &App,
    status: StatusCode,
    typed: String,
    error: Option<&'static str>,
) -> Result<HttpResponse, Error> {
    let sales = app.db.read_primary(|db| store::sales_by_slug(db, seed::concert().slug)).await?;
    let allowed = app.allow_reseed;
    page.clone().respond_unlisted(status, &ReseedPage { page, sales, typed, error, allowed })
}
