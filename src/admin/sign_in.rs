//! `/admin/sign-in`, `/admin/sign-out`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use serde::Deserialize;

use super::refusal;
use crate::app::App;
use crate::audit::{self, Action, Actor};
use crate::auth::authentication::{Attempt, Proof, SignInRefusal, browser_cookie};
use crate::auth::store::{accounts, sessions, throttle};
use crate::auth::{USERNAME, password, session};
use crate::error::Error;
use crate::guard::client_address;
use crate::guard::form::Form;
use crate::page::{Page, html, see_other};

#[derive(Template)]
#[template(path = "admin/sign_in.html")]
struct SignInPage {
    page: Page,
    username: String,
    error: Option<String>,
    /// The browser's last session has ended.
    has_ended: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SignInForm {
    username: String,
    password: String,
}

/// `GET /admin/sign-in`
pub async fn new(page: Page, app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Error> {
    let has_ended = session::has_ended(&app.auth, &request).await?;
    let mut response = page.unlisted_builder(StatusCode::OK);
    if has_ended {
        // The page says so once.
        response.cookie(session::removal(&app.auth));
    }
    let sign_in = SignInPage { page, username: USERNAME.into(), error: None, has_ended };
    Ok(response.body(html(&sign_in)?))
}

/// `POST /admin/sign-in`
pub async fn create(
    page: Page,
    app: web::Data<App>,
    request: HttpRequest,
    Form(form): Form<SignInForm>,
) -> Result<HttpResponse, Error> {
    let SignInForm { username, password } = form;
    let attempt = Attempt::new(&request, &app.auth, &username, password.clone(), Action::SignInFailed);
    let started = match attempt.check(&app.auth).await? {
        Ok(proof) => start(&app, &request, proof, password).await?,
        Err(refusal) => Err(refusal),
    };
    match started {
        Ok(response) => Ok(response),
        Err(refusal) => {
            let error = Some(refusal::sentence(refusal, "Incorrect username or password."));
            let sign_in = SignInPage { page: page.clone(), username, error, has_ended: false };
            refusal::respond(&page, refusal, &sign_in)
        }
    }
}

/// Starts a session in place of the browser's last one.
async fn start(
    app: &App,
    request: &HttpRequest,
    proof: Proof,
    password: String,
) -> Result<Result<HttpResponse, SignInRefusal>, Error> {
    let Proof { account, hash_permit, counters } = proof;
    let hash = if password::is_outdated(&account.password_hash) {
        let hash = hash_permit.run(move || password::hash(&password)).await?;
        hash.map_err(|e| Error::Internal(format!("the password cannot be hashed: {e}")))?
    } else {
        account.password_hash.clone()
    };
    let browser = browser_cookie(&app.auth, request, &account.username);
    let client_address = client_address::of(request).to_string();
    let (session, cookie) = session::prepare(&app.auth, account.id, &client_address);
    let actor = Actor { name: account.username.clone(), client_address };
    let old_session = session::token_hash(&app.auth, request);
    let is_started = app.db.write(move |db| {
        if !accounts::replace_hash(db, &account, &hash)? {
            return Ok(false);
        }
        throttle::reset_after_success(db, &counters)?;
        if let Some(old) = old_session {
            sessions::delete(db, &old)?;
        }
        sessions::insert(db, &session, Utc::now().naive_utc())?;
        audit::store::record(db, &actor, Action::SignedIn, "", 1)?;
        Ok(true)
    });
    if !is_started.await? {
        // The password was changed meanwhile.
        return Ok(Err(SignInRefusal::WrongPassword));
    }
    Ok(Ok(see_other("/admin").cookie(cookie).cookie(browser).finish()))
}

/// `POST /admin/sign-out`
pub async fn destroy(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Error> {
    if let Some(token_hash) = session::token_hash(&app.auth, &request) {
        let (limits, now) = (app.auth.session_limits, Utc::now().naive_utc());
        let client_address = client_address::of(&request).to_string();
        let end = app.db.write(move |db| {
            let Some(owner) = sessions::find(db, &token_hash, limits, now)? else { return Ok(()) };
            sessions::delete(db, &token_hash)?;
            let actor = Actor { name: owner.username, client_address };
            audit::store::record(db, &actor, Action::SignedOut, "", 1)
        });
        end.await?;
    }
    Ok(see_other("/admin/sign-in").cookie(session::removal(&app.auth)).finish())
}
