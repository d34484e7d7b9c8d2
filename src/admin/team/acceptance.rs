//! `/invitations/{token}`: somebody who was invited chooses a username and a password, and is signed in.
//! Somebody who already has an account chooses a new password for it.

use actix_web::http::StatusCode;
use actix_web::http::header::REFERRER_POLICY;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use serde::Deserialize;

use super::words;
use crate::admin::sign_in::begin;
use crate::admin::{password_change, refusal, store};
use crate::app::App;
use crate::audit::Actor;
use crate::auth::authentication::SignInRefusal;
use crate::auth::invitation::{Invitation, parse_username, suggest_username};
use crate::auth::store::invitations;
use crate::auth::team::{NewMember, TeamRefusal};
use crate::auth::{Account, known_browser, password, session, token};
use crate::error::Error;
use crate::guard::client_address;
use crate::guard::form::Form;
use crate::page::{Page, Toast, html, see_other, see_other_with, toast_cookie};
use crate::venue_clock::VenueClock;

/// Passwords are never sent back in the page.
#[derive(Template)]
#[template(path = "admin/team/acceptance.html")]
struct AcceptancePage {
    page: Page,
    token: String,
    invitation: Invitation,
    clock: VenueClock,
    username: String,
    errors: AcceptanceErrors,
}

#[derive(Default)]
struct AcceptanceErrors {
    username: Option<&'static str>,
    new: Option<String>,
    repeated: Option<&'static str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AcceptanceForm {
    username: String,
    new_password: String,
    repeated_password: String,
}

/// `GET /invitations/{token}`: changes nothing, because mail scanners open links.
pub async fn new(page: Page, app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let (invitation, clock) = find(&app, &token).await?;
    let username = suggest_username(&invitation.email);
    let errors = AcceptanceErrors::default();
    let token = token.into_inner();
    let acceptance = AcceptancePage { page: page.clone(), token, invitation, clock, username, errors };
    respond(&page, StatusCode::OK, &acceptance)
}

/// `POST /invitations/{token}`
pub async fn create(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    token: web::Path<String>,
    Form(form): Form<AcceptanceForm>,
) -> Result<HttpResponse, Error> {
    let (invitation, clock) = find(&app, &token).await?;
    let (token, username) = (token.into_inner(), form.username);
    let again = |username: String, errors: AcceptanceErrors| {
        let acceptance = AcceptancePage {
            page: page.clone(),
            token: token.clone(),
            invitation: invitation.clone(),
            clock,
            username,
            errors,
        };
        respond(&page, StatusCode::UNPROCESSABLE_ENTITY, &acceptance)
    };
    let length = password::check_length(&form.new_password);
    // An existing account keeps its name.
    let name = invitation.username.clone().map_or_else(|| parse_username(&username), Ok);
    let differ = length.is_ok() && form.new_password != form.repeated_password;
    let name = match name {
        Ok(name) if length.is_ok() && !differ => name,
        name => {
            let errors = AcceptanceErrors {
                username: name.err().map(words::username),
                new: length.err().map(|weakness| password_change::sentence(weakness).to_owned()),
                repeated: differ.then_some("Passwords don't match."),
            };
            return again(username, errors);
        }
    };
    let address = client_address::of(&request);
    let permit = match app.auth.password_queue.acquire_for_unknown(address).await {
        Ok(permit) => permit,
        Err(Error::Busy) => {
            let new = Some(refusal::sentence(SignInRefusal::Busy, ""));
            return again(username, AcceptanceErrors { new, ..AcceptanceErrors::default() });
        }
        Err(error) => return Err(error),
    };
    let hash = match permit.hash_new(form.new_password).await? {
        Ok(hash) => hash,
        Err(weakness) => {
            let new = Some(password_change::sentence(weakness).to_owned());
            return again(username, AcceptanceErrors { new, ..AcceptanceErrors::default() });
        }
    };
    if invitation.username.is_some() {
        return renew(&app, &request, &token, hash).await;
    }
    match accept(&app, &request, &token, NewMember { username: name, password_hash: hash }).await? {
        Ok(response) => Ok(response),
        Err(TeamRefusal::NameTaken) => {
            let taken = Some(words::refused(TeamRefusal::NameTaken));
            again(username, AcceptanceErrors { username: taken, ..AcceptanceErrors::default() })
        }
        Err(_) => Err(over()),
    }
}

/// Sets the password of an existing account, and leads to the sign-in.
async fn renew(app: &App, request: &HttpRequest, token: &str, hash: String) -> Result<HttpResponse, Error> {
    let (token_hash, client_address) = (token::hash(token), client_address::of(request).to_string());
    let renew = app.db.write(move |db| invitations::renew_password(db, &token_hash, &hash, &client_address));
    renew.await?.map_err(|_| over())?;
    let toast = Toast::success("Your password is changed. Sign in with it.");
    Ok(see_other_with(&app.cookies, "/admin/sign-in", &toast))
}

/// Makes the account and its first session, in place of one that the browser has.
async fn accept(
    app: &App,
    request: &HttpRequest,
    token: &str,
    new: NewMember,
) -> Result<Result<HttpResponse, TeamRefusal>, Error> {
    let client_address = client_address::of(request).to_string();
    let browser = known_browser::cookie(&app.auth, request, &new.username, &new.password_hash);
    let (token_hash, old_session) = (token::hash(token), session::token_hash(&app.auth, request));
    let (auth, username) = (app.auth.clone(), new.username.clone());
    let accepted = app.db.write(move |db| {
        let (id, role) = match invitations::accept(db, &token_hash, &new, &client_address)? {
            Ok(made) => made,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let NewMember { username, password_hash } = new.clone();
        let account = Account { id, username, password_hash, role, first_password_ends_at: None };
        let (session, cookie) = session::prepare(&auth, &account, &client_address, false);
        let actor = Actor { name: account.username, client_address: client_address.clone() };
        begin(db, &session, old_session.as_deref(), &actor)?;
        Ok(Ok((role, cookie)))
    });
    Ok(accepted.await?.map(|(role, cookie)| {
        let toast = toast_cookie(&app.cookies, &Toast::success(format!("Welcome, {username}.")));
        see_other(role.home()).cookie(cookie).cookie(browser).cookie(toast).finish()
    }))
}

async fn find(app: &App, token: &str) -> Result<(Invitation, VenueClock), Error> {
    let (hash, now) = (token::hash(token), Utc::now().naive_utc());
    let find = app.db.read_primary(move |db| Ok((invitations::find(db, &hash, now)?, store::clock(db)?)));
    let (found, clock) = find.await?;
    Ok((found.ok_or_else(over)?, clock))
}

fn over() -> Error {
    Error::Gone {
        title: "This invitation is no longer valid",
        explanation: "It was used, withdrawn or replaced, or is older than two days. If you have an account, sign in at /admin. Otherwise ask the person who invited you for a new one.",
    }
}

/// The page's address is a key, so browsers must not send it on as a referrer.
fn respond(page: &Page, status: StatusCode, acceptance: &AcceptancePage) -> Result<HttpResponse, Error> {
    let mut response = page.unlisted_builder(status);
    response.insert_header((REFERRER_POLICY, "no-referrer"));
    Ok(response.body(html(acceptance)?))
}
