//! `/admin/sign-in/code`: after the password, an account with a second factor is asked for a code.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde::Deserialize;

use super::code_question::SignInCodePage;
use super::refusal;
use super::sign_in::{SignInPage, SignInQuery, begin, land};
use super::typed_form::TypedForm;
use crate::app::App;
use crate::audit::Actor;
use crate::auth::authentication::{SignInRefusal, longest_wait, throttled};
use crate::auth::known_browser::{self, KnownBrowser};
use crate::auth::return_path::{ReturnPath, sign_in_url};
use crate::auth::second_factor::{PasswordPassed, TypedCode};
use crate::auth::session;
use crate::auth::store::accounts;
use crate::auth::store::second_factor::{self, CodeOutcome};
use crate::auth::throttle::FailureCounter;
use crate::error::Error;
use crate::guard::client_address;
use crate::guard::form::{Form, Query};
use crate::page::{Page, see_other};

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SignInCodeForm {
    code: String,
    next: String,
    /// Among them the fields of a form that was filled in when the session ended.
    #[serde(flatten)]
    others: HashMap<String, String>,
}

/// `GET /admin/sign-in/code?next=/admin/mails`
pub async fn new(
    page: Page,
    app: web::Data<App>,
    request: HttpRequest,
    Query(query): Query<SignInQuery>,
) -> Result<HttpResponse, Error> {
    let next = ReturnPath::parse(&query.next);
    if PasswordPassed::of(&app.cookies, &request).is_none() {
        return Ok(see_other(&sign_in_url(next.as_ref())).finish());
    }
    let asked = SignInCodePage { page: page.clone(), error: None, next, typed: TypedForm::default() };
    page.respond_unlisted(StatusCode::OK, &asked)
}

/// `POST /admin/sign-in/code`
pub async fn create(
    page: Page,
    app: web::Data<App>,
    request: HttpRequest,
    Form(form): Form<SignInCodeForm>,
) -> Result<HttpResponse, Error> {
    let SignInCodeForm { code, next, others } = form;
    let (next, typed) = (ReturnPath::parse(&next), TypedForm::carried(others));
    let Some(passed) = PasswordPassed::of(&app.cookies, &request) else {
        return start_over(&page, next, typed);
    };
    let browser = KnownBrowser::id_of(&app.auth, &request, &passed.username).await?;
    let counters = FailureCounter::for_code(&passed.username, browser.as_deref());
    let now = Utc::now().naive_utc();
    let refuse = |refusal: SignInRefusal, next, typed| {
        let error = Some(refusal::code_sentence(refusal));
        refusal::respond(&page, refusal, &SignInCodePage { page: page.clone(), error, next, typed })
    };
    let address = client_address::of(&request);
    let network = client_address::network_of(address);
    if let Some(wait) = app.auth.throttle.wait(&counters, now) {
        return refuse(throttled(&app.auth, network, wait), next, typed);
    }
    let client_address = address.to_string();
    let (typed_code, old_session) = (TypedCode::parse(&code), session::token_hash(&app.auth, &request));
    let auth = app.auth.clone();
    let check = app.db.write(move |db| {
        // The account as it is now: the password may have been changed since it was accepted.
        let account = accounts::find(db, &passed.username)?.filter(|account| passed.is_of(account));
        let Some(account) = account else { return Ok((CodeOutcome::Gone, None)) };
        let actor = Actor { name: account.username.clone(), client_address: client_address.clone() };
        let seals = &auth.second_factors;
        let outcome = second_factor::check(db, seals, account.id, &typed_code, &counters, &actor, now)?;
        if outcome != CodeOutcome::Accepted {
            return Ok((outcome, None));
        }
        let (session, cookie) = session::prepare(&auth, &account, &client_address, true);
        begin(db, &session, old_session.as_deref(), &actor)?;
        Ok((outcome, Some((account, cookie))))
    });
    match check.await? {
        (CodeOutcome::Accepted, Some((account, session))) => {
            let (username, hash) = (&account.username, &account.password_hash);
            let browser = known_browser::cookie(&app.auth, &request, username, hash);
            land(&page, next, &typed, [session, browser, PasswordPassed::removal(&app.cookies)])
        }
        (CodeOutcome::Wrong(waits), _) => {
            app.auth.throttle.remember(waits, now);
            refuse(SignInRefusal::WrongPassword, next, typed)
        }
        (CodeOutcome::Throttled(waits), _) => {
            let refusal = throttled(&app.auth, network, longest_wait(&waits, now));
            app.auth.throttle.remember(waits, now);
            refuse(refusal, next, typed)
        }
        _ => start_over(&page, next, typed),
    }
}

/// The proof of the password has expired, or the account has changed: the password is asked for again.
fn start_over(page: &Page, next: Option<ReturnPath>, typed: TypedForm) -> Result<HttpResponse, Error> {
    match next {
        Some(next) if !typed.is_empty() => {
            page.respond_unlisted(StatusCode::UNAUTHORIZED, &SignInPage::of_ended_session(next, typed))
        }
        next => Ok(see_other(&sign_in_url(next.as_ref())).finish()),
    }
}
