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
use crate::auth::password;
use crate::auth::reauthentication::check_again;
use crate::auth::session::{self, Admin};
use crate::auth::session_record::{LiveSession, SessionLimits};
use crate::auth::store::{accounts, sessions};
use crate::error::Error;
use crate::guard::form::Form;
use crate::page::{CLEAR_CACHE, Page, Toast, see_other, toast_cookie};
use crate::venue_clock::VenueClock;

#[derive(Template)]
#[template(path = "admin/account.html")]
struct AccountPage {
    page: Page,
    admin: Admin,
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
    let hash = proof.hash_permit.run(move || password::hash(&password)).await?;
    let hash = hash.map_err(|e| Error::Internal(format!("the password cannot be hashed: {e}")))?;
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
    let mut response = see_other("/admin/sign-in");
    response.cookie(session::removal(&app.auth)).cookie(toast_cookie(&app.cookies, &toast));
    Ok(response.insert_header(CLEAR_CACHE).finish())
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
    let (place, toast) = match end.await? {
        Some(session) if admin.is_in(&session) => ("/admin/sign-in", Toast::success("Signed out.")),
        Some(_) => ("/admin/account", Toast::success("Session ended.")),
        None => ("/admin/account", Toast::failure("That session had already ended.")),
    };
    Ok(see_other(place).cookie(toast_cookie(&app.cookies, &toast)).finish())
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
        Ok((live, store::clock(db)?))
    });
    let (mut sessions, clock) = load.await?;
    // This browser's session comes first.
    sessions.sort_by_key(|session| !admin.is_in(session));
    Ok(AccountPage { page, admin, sessions, clock, limits, chosen, error })
}
