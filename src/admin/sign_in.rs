//! `/admin/sign-in`, `/admin/sign-out`: starts and ends an account's session.

use std::collections::HashMap;

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use diesel::QueryResult;
use serde::Deserialize;

use super::typed_form::{self, TypedForm};
use super::{code_question, refusal};
use crate::app::App;
use crate::audit::{self, Action, Actor};
use crate::auth::authentication::{Attempt, Proof, SignInRefusal};
use crate::auth::return_path::{ReturnPath, code_url, destination, sign_in_url};
use crate::auth::second_factor::PasswordPassed;
use crate::auth::session::SessionState;
use crate::auth::session_record::NewSession;
use crate::auth::store::{accounts, second_factor, sessions, team, throttle};
use crate::auth::{USERNAME, known_browser, password, session};
use crate::db::Db;
use crate::error::Error;
use crate::guard::client_address;
use crate::guard::form::{Form, Query};
use crate::page::{CLEAR_CACHE, Page, html, see_other};

#[derive(Template)]
#[template(path = "admin/sign_in.html")]
pub(super) struct SignInPage {
    page: Page,
    username: String,
    error: Option<String>,
    /// The browser's last session has ended.
    has_ended: bool,
    /// Where the sign-in leads.
    next: Option<ReturnPath>,
    /// What was typed into a form when the session ended.
    typed: TypedForm,
}

impl SignInPage {
    /// The page that answers a form whose session has ended.
    pub(super) fn of_ended_session(next: ReturnPath, typed: TypedForm) -> Self {
        let (page, username) = (Page::default(), USERNAME.into());
        Self { page, username, error: None, has_ended: true, next: Some(next), typed }
    }
}

/// A page in between, for links from other sites. Browsers do not send the session's cookie with a request
/// that another site has caused. This page causes another request, and they send it with that one.
#[derive(Template)]
#[template(path = "admin/bounce.html")]
struct BouncePage {
    page: Page,
    url: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SignInQuery {
    pub(super) next: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SignInForm {
    username: String,
    password: String,
    next: String,
    /// Among them the fields of a form that was filled in when the session ended.
    #[serde(flatten)]
    others: HashMap<String, String>,
}

/// `GET /admin/sign-in?next=/admin/mails`
pub async fn new(
    page: Page,
    app: web::Data<App>,
    request: HttpRequest,
    Query(query): Query<SignInQuery>,
) -> Result<HttpResponse, Error> {
    let next = ReturnPath::parse(&query.next);
    if is_from_elsewhere(&request) {
        let url = sign_in_url(next.as_ref());
        return page.clone().respond_unlisted(StatusCode::OK, &BouncePage { page, url });
    }
    let state = session::state(&app.auth, &request).await?;
    if state == SessionState::Live {
        return Ok(see_other(destination(next.as_ref())).finish());
    }
    let has_ended = state == SessionState::Ended;
    let mut response = page.unlisted_builder(StatusCode::OK);
    if has_ended {
        // The page says only once that the session has ended.
        response.cookie(session::removal(&app.auth));
    }
    let (username, typed) = (USERNAME.into(), TypedForm::default());
    let sign_in = SignInPage { page, username, error: None, has_ended, next, typed };
    Ok(response.body(html(&sign_in)?))
}

/// Whether another site's page has caused the request, as browsers say it.
fn is_from_elsewhere(request: &HttpRequest) -> bool {
    let site = request.headers().get("Sec-Fetch-Site").and_then(|site| site.to_str().ok());
    matches!(site, Some("cross-site" | "same-site"))
}

/// `POST /admin/sign-in`
pub async fn create(
    page: Page,
    app: web::Data<App>,
    request: HttpRequest,
    Form(form): Form<SignInForm>,
) -> Result<HttpResponse, Error> {
    let SignInForm { username, password, next, others } = form;
    let (next, typed) = (ReturnPath::parse(&next), TypedForm::carried(others));
    let attempt = Attempt::new(&request, &app.auth, &username, password.clone(), Action::SignInFailed);
    let started = match attempt.check(&app.auth).await? {
        Ok(proof) => start(&app, &request, proof, password).await?,
        Err(refusal) => Err(refusal),
    };
    match started {
        Ok(SignInStep::Session(cookies)) => land(&page, next, &typed, *cookies),
        Ok(SignInStep::Code(cookie)) if typed.is_empty() => {
            Ok(see_other(&code_url(next.as_ref())).cookie(*cookie).finish())
        }
        Ok(SignInStep::Code(cookie)) => code_question::ask(page, *cookie, next, typed),
        Err(refusal) => {
            let error = Some(refusal::sentence(refusal, "Incorrect username or password."));
            let sign_in = SignInPage { page: page.clone(), username, error, has_ended: false, next, typed };
            refusal::respond(&page, refusal, &sign_in)
        }
    }
}

/// Where a sign-in leads, with its cookies: to a page, or back to a form that was filled in.
pub(super) fn land(
    page: &Page,
    next: Option<ReturnPath>,
    typed: &TypedForm,
    cookies: impl IntoIterator<Item = Cookie<'static>>,
) -> Result<HttpResponse, Error> {
    let back = next.as_ref().filter(|_| !typed.is_empty());
    let mut response = match back {
        Some(_) => page.unlisted_builder(StatusCode::OK),
        None => see_other(destination(next.as_ref())),
    };
    for cookie in cookies {
        response.cookie(cookie);
    }
    match back {
        Some(next) => Ok(response.body(typed_form::lead_back(next, typed)?)),
        None => Ok(response.finish()),
    }
}

/// What the right password leads to.
enum SignInStep {
    /// A session: its cookie and the browser's.
    Session(Box<[Cookie<'static>; 2]>),
    /// The question for a code: the cookie that says that the password was right.
    Code(Box<Cookie<'static>>),
}

/// Starts a session in place of the browser's last one, unless a code is asked for first.
async fn start(
    app: &App,
    request: &HttpRequest,
    proof: Proof,
    password: String,
) -> Result<Result<SignInStep, SignInRefusal>, Error> {
    let Proof { mut account, hash_permit, counters } = proof;
    let is_first = account.first_password_ends_at.is_some();
    let hash = if !is_first && password::is_outdated(&account.password_hash) {
        hash_permit.hash(password).await?
    } else {
        account.password_hash.clone()
    };
    let browser = known_browser::cookie(&app.auth, request, &account.username, &hash);
    let client_address = client_address::of(request).to_string();
    let (session, cookie) = session::prepare(&app.auth, &account, &client_address, false);
    let actor = Actor { name: account.username.clone(), client_address };
    let old_session = session::token_hash(&app.auth, request);
    let checked = account.clone();
    let start = app.db.write(move |db| {
        if !accounts::replace_hash(db, &checked, &hash)? {
            return Ok(None);
        }
        throttle::reset_after_success(db, &counters)?;
        if second_factor::exists(db, checked.id)? {
            return Ok(Some((false, hash)));
        }
        begin(db, &session, old_session.as_deref(), &actor)?;
        Ok(Some((true, hash)))
    });
    Ok(match start.await? {
        // The password was changed meanwhile.
        None => Err(SignInRefusal::WrongPassword),
        Some((true, _)) => Ok(SignInStep::Session(Box::new([cookie, browser]))),
        Some((false, hash)) => {
            account.password_hash = hash;
            Ok(SignInStep::Code(Box::new(PasswordPassed::cookie(&app.cookies, &account))))
        }
    })
}

/// Completes a sign-in: the new session replaces the one that the browser has.
pub(super) fn begin(
    db: &mut Db,
    session: &NewSession,
    old_session: Option<&str>,
    actor: &Actor,
) -> QueryResult<()> {
    if let Some(old) = old_session {
        sessions::delete(db, old)?;
    }
    let now = Utc::now().naive_utc();
    sessions::insert(db, session, now)?;
    team::note_sign_in(db, session.account_id, now)?;
    audit::store::record(db, actor, Action::SignedIn, "", 1)
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
    let mut response = see_other("/admin/sign-in");
    Ok(response.cookie(session::removal(&app.auth)).insert_header(CLEAR_CACHE).finish())
}
