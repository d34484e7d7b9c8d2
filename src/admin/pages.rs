//! `/admin`, `/admin/sales`, `/admin/sign-in`, `/admin/sign-out`

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::session::Admin;
use super::{BookingLine, Sales, password, session, store};
use crate::app::App;
use crate::error::Error;
use crate::events::pace::Pace;
use crate::guard::form::Form;
use crate::page::{Page, html, see_other};
use crate::reconciliation::{Reconciliation, reconcile};

/// How many of the latest bookings the desk shows.
const LATEST_BOOKINGS: i64 = 20;

#[derive(Template)]
#[template(path = "admin/show.html", blocks = ["sales"])]
struct Show {
    page: Page,
    admin: Admin,
    sales: Vec<Sales>,
    latest: Vec<BookingLine>,
    reconciliation: Reconciliation,
    allow_reseed: bool,
    pace: Pace,
}

#[derive(Template)]
#[template(path = "admin/sign_in.html")]
struct SignIn {
    page: Page,
    username: String,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SignInForm {
    username: String,
    password: String,
}

/// `GET /admin`: the sale as it goes.
pub async fn show(page: Page, admin: Admin, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let show = load_show(page.clone(), admin, &app).await?;
    page.respond_unlisted(StatusCode::OK, &show)
}

/// `GET /admin/sales`: the part of it that refreshes itself.
pub async fn sales(page: Page, admin: Admin, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let show = load_show(page.clone(), admin, &app).await?;
    Ok(page.unlisted_builder(StatusCode::OK).body(html(&show.as_sales())?))
}

async fn load_show(page: Page, admin: Admin, app: &App) -> Result<Show, Error> {
    let (sales, latest, reconciliation) = app
        .db
        .read_primary(|db| {
            Ok((store::sales(db)?, store::latest_bookings(db, LATEST_BOOKINGS)?, reconcile(db)?))
        })
        .await?;
    let (allow_reseed, pace) = (app.config.allow_reseed, app.board.pace());
    Ok(Show { page, admin, sales, latest, reconciliation, allow_reseed, pace })
}

/// `GET /admin/sign-in`
pub async fn new_session(page: Page) -> Result<HttpResponse, Error> {
    let sign_in = SignIn { page: page.clone(), username: super::USERNAME.into(), error: None };
    page.respond_unlisted(StatusCode::OK, &sign_in)
}

/// `POST /admin/sign-in`
pub async fn create_session(
    page: Page,
    app: web::Data<App>,
    Form(form): Form<SignInForm>,
) -> Result<HttpResponse, Error> {
    let SignInForm { username, password } = form;
    if let Some(wait) = app.sign_ins.wait(&username) {
        let seconds = wait.as_secs() + 1;
        let message = format!("Too many wrong passwords. Please wait {seconds} seconds and try again.");
        let mut response = refuse(page, username, message, StatusCode::TOO_MANY_REQUESTS)?;
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
        return Ok(response);
    }
    // PostgreSQL refuses to even compare a text with a NUL in it.
    let account = username.replace('\0', "");
    let found = app.db.read_primary(move |db| store::find_admin(db, &account)).await?;
    let (id, hash) = found.unzip();
    let matches = web::block(move || password::verify(&password, hash.as_deref())).await?;
    let Some(id) = id.filter(|_| matches) else {
        app.sign_ins.failed(&username);
        let message = "That name and password do not belong together.".into();
        return refuse(page, username, message, StatusCode::UNPROCESSABLE_ENTITY);
    };
    app.sign_ins.succeeded(&username);
    Ok(see_other("/admin").cookie(session::start(&app, id).await?).finish())
}

fn refuse(page: Page, username: String, message: String, status: StatusCode) -> Result<HttpResponse, Error> {
    page.clone().respond_unlisted(status, &SignIn { page, username, error: Some(message) })
}

/// `POST /admin/sign-out`
pub async fn destroy_session(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, Error> {
    Ok(see_other("/admin/sign-in").cookie(session::end(&app, &request).await?).finish())
}
