//! `/admin/account`: the account's sessions, and ending them. Ending a session requires the password (OWASP ASVS
//! 5.0, 7.5.2), so that nobody who finds an open browser can sign others out.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use serde::Deserialize;

use super::{refusal, store};
use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::access::Member;
use crate::auth::authentication::Proof;
use crate::auth::reauthentication::check_again;
use crate::auth::session::{self, Admin};
use crate::auth::session_record::{LiveSession, SessionLimits};
use crate::auth::store::{accounts, second_factor, sessions};
use crate::error::Error;
use crate::guard::form::Form;
use crate::page::{CLEAR_CACHE, Page, Toast, see_other, see_other_with, toast_cookie};
use crate::venue_clock::VenueClock;

#[derive(Template)]
#[template(path = "admin/account.html")]
struct AccountPage {
    page: Page,
    admin: Admin,
    /// Whether the account has a second factor now; `admin` knows whether the session began with one.
    has_factor: bool,
    sessions: Vec<LiveSession>,
    clock: VenueClock,
    limits: SessionLimits,
    /// The session chosen in the form: an id, or [`EVERYWHERE`].
    chosen: String,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct EndSessionForm {
    session: String,
    password: String,
}

/// The choice that ends all sessions.
const EVERYWHERE: &str = "all";

/// `GET /admin/account`
pub async fn show(page: Page, Member(admin): Member, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let account = load(page.clone(), admin, &app, EVERYWHERE.into(), None).await?;
    page.respond_unlisted(StatusCode::OK, &account)
}

/// `POST /admin/account`: ends one session or all.
pub async fn destroy_sessions(
    page: Page,
    Member(mut admin): Member,
    app: web::Data<App>,
    request: HttpRequest,
    Form(form): Form<EndSessionForm>,
) -> Result<HttpResponse, Error> {
    let EndSessionForm { session, password } = form;
    let is_own = session == admin.session_id();
    match check_again(&request, &app.auth, &mut admin, password.clone()).await? {
        Ok(proof) if session == EVERYWHERE => end_all(&admin, &app, proof, password).await,
        // The check has given this session a new token, and with it a new id.
        Ok(proof) if is_own => end_one(&admin, &app, proof, admin.session_id()).await,
        Ok(proof) => end_one(&admin, &app, proof, &session).await,
        Err(refusal) => {
            let error = refusal::sentence(refusal, "Wrong password. No session was ended.");
            let account = load(page.clone(), admin, &app, session, Some(error)).await?;
            refusal::respond(&page, refusal, &account)
        }
    }
}

/// Ends all sessions. The same password is hashed again, so that no browser is a known one any more: its
/// cookie holds a fingerprint of the old hash.
async fn end_all(admin: &Admin, app: &App, proof: Proof, password: String) -> Result<HttpResponse, Error> {
    let actor = admin.actor();
    let hash = proof.hash_permit.hash(password).await?;
    let end = app.db.write(move |db| {
        // `false`: the password was changed meanwhile, which has replaced the old hash as well.
        accounts::replace_hash(db, &proof.account, &hash)?;
        let ended = sessions::delete_all(db, proof.account.id)?;
        audit::store::record(db, &actor, Action::SignedOutEverywhere, "", ended)?;
        Ok(ended)
    });
    let toast = Toast::success(match end.await? {
        1 => "Signed out. There was no other session.".to_owned(),
        ended => format!("Signed out everywhere. {ended} sessions ended."),
    });
    Ok(signed_out(app, &toast))
}

async fn end_one(admin: &Admin, app: &App, proof: Proof, id: &str) -> Result<HttpResponse, Error> {
    let (actor, id, limits) = (admin.actor(), id.to_owned(), app.auth.session_limits);
    let end = app.db.write(move |db| {
        let live = sessions::live(db, proof.account.id, limits, Utc::now().naive_utc())?;
        let Some(session) = live.into_iter().find(|session| session.id() == id) else { return Ok(None) };
        sessions::delete(db, &session.token_hash)?;
        audit::store::record(db, &actor, Action::SessionEnded, &session.client_address, 1)?;
        Ok(Some(session))
    });
    let toast = match end.await? {
        Some(session) if admin.is_in(&session) => {
            return Ok(signed_out(app, &Toast::success("Signed out.")));
        }
        Some(_) => Toast::success("Session ended."),
        None => Toast::failure("That session had already ended."),
    };
    Ok(see_other_with(&app.cookies, "/admin/account", &toast))
}

/// Leads to the sign-in. The browser keeps neither the session nor the pages that it has shown.
fn signed_out(app: &App, toast: &Toast) -> HttpResponse {
    let mut response = see_other("/admin/sign-in");
    response.cookie(session::removal(&app.auth)).cookie(toast_cookie(&app.cookies, toast));
    response.insert_header(CLEAR_CACHE).finish()
}

async fn load(
    page: Page,
    admin: Admin,
    app: &App,
    chosen: String,
    error: Option<String>,
) -> Result<AccountPage, Error> {
    let (account_id, limits) = (admin.account_id, app.auth.session_limits);
    let load = app.db.read_primary(move |db| {
        let live = sessions::live(db, account_id, limits, Utc::now().naive_utc())?;
        Ok((live, second_factor::exists(db, account_id)?, store::clock(db)?))
    });
    let (mut sessions, has_factor, clock) = load.await?;
    // This browser's session comes first.
    sessions.sort_by_key(|session| !admin.is_in(session));
    Ok(AccountPage { page, admin, has_factor, sessions, clock, limits, chosen, error })
}
