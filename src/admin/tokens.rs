//! `/admin/tokens`: the tokens of programs. The owner makes one with their password, sees it once, and revokes it.

use std::collections::HashMap;

use actix_web::cookie::SameSite;
use actix_web::cookie::time::Duration;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{NaiveDateTime, Utc};

use super::refusal;
use crate::app::App;
use crate::auth::access::Owner;
use crate::auth::api_token::{self, NewSiteToken, SiteToken, TOKENS_MAX, TokenLifetime};
use crate::auth::reauthentication::check_again;
use crate::auth::store::api_tokens as store;
use crate::auth::token;
use crate::booking::buyer::is_visible;
use crate::error::Error;
use crate::events::store::clock;
use crate::guard::GuardSettings;
use crate::guard::api_tokens::scopes::{Scope, Scopes};
use crate::guard::form::Form;
use crate::page::{Page, Toast, see_other, see_other_with};
use crate::venue_clock::VenueClock;

/// Carries a new token to the page that shows it, once: the database holds only its hash.
const NEW_TOKEN_COOKIE: &str = "new_token";
const NEW_TOKEN_KEPT: Duration = Duration::minutes(10);
const NAME_LENGTH_MAX: usize = 60;

#[derive(Template)]
#[template(path = "admin/tokens.html")]
struct TokensPage {
    page: Page,
    tokens: Vec<SiteToken>,
    clock: VenueClock,
    now: NaiveDateTime,
    form: TokenForm,
    /// The one that was just made.
    new: Option<NewToken>,
    public_url: String,
}

struct NewToken {
    name: String,
    token: String,
}

/// What was typed, and what is wrong with it.
#[derive(Default)]
struct TokenForm {
    name: String,
    scopes: Scopes,
    expires: String,
    name_error: Option<&'static str>,
    scopes_error: Option<&'static str>,
    expires_error: Option<&'static str>,
    password_error: Option<String>,
    refusal: Option<String>,
}

impl TokenForm {
    fn blank() -> Self {
        Self { expires: TokenLifetime::Days(90).value(), ..Self::default() }
    }

    fn read(typed: &HashMap<String, String>) -> Self {
        let value = |field: &str| typed.get(field).map_or("", String::as_str);
        let is_checked = |scope: &Scope| matches!(value(scope.as_str()), "true" | "on" | "1");
        let scopes: Vec<Scope> = Scope::ALL.into_iter().filter(is_checked).collect();
        let name = value("name").split_whitespace().collect::<Vec<_>>().join(" ");
        Self { name, scopes: Scopes::new(&scopes), expires: value("expires").to_owned(), ..Self::default() }
    }

    fn is_chosen(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|chosen| chosen == scope)
    }

    /// The token that the form asks for; `None`, with the errors noted in the form, if something is wrong.
    /// `now`: UTC.
    fn check(&mut self, now: NaiveDateTime) -> Option<NewSiteToken> {
        let length = self.name.chars().count();
        self.name_error = match () {
            () if length == 0 => Some("Name the program that uses it, like Box office website."),
            () if length > NAME_LENGTH_MAX => Some("Use 60 characters or fewer."),
            () if !self.name.chars().all(|c| is_visible(c) || c == ' ') => {
                Some("This contains invisible characters. Please retype it.")
            }
            () => None,
        };
        self.scopes_error = self.scopes.is_empty().then_some("Choose what it may do.");
        let lifetime = TokenLifetime::parse(&self.expires);
        self.expires_error = lifetime.is_none().then_some("Choose one from the list.");
        let expires_at = lifetime?.ends_at(now);
        let is_right = self.name_error.is_none() && self.scopes_error.is_none();
        is_right.then(|| NewSiteToken { name: self.name.clone(), scopes: self.scopes.clone(), expires_at })
    }
}

/// `GET /admin/tokens`
pub async fn index(
    request: HttpRequest,
    page: Page,
    _: Owner,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let new = app.cookies.open_dated(&request, NEW_TOKEN_COOKIE);
    let mut response = respond(page, &app, StatusCode::OK, TokenForm::blank(), new.as_deref()).await?;
    if new.is_some() {
        let removed = response.add_cookie(&app.cookies.removal(NEW_TOKEN_COOKIE));
        removed.map_err(|e| Error::Internal(format!("the cookie of a new token: {e}")))?;
    }
    Ok(response)
}

/// `POST /admin/tokens`: makes a token.
pub async fn create(
    request: HttpRequest,
    page: Page,
    Owner(mut admin): Owner,
    app: web::Data<App>,
    settings: web::Data<GuardSettings>,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let mut form = TokenForm::read(&typed);
    let now = Utc::now().naive_utc();
    let Some(wanted) = form.check(now) else {
        return respond(page, &app, StatusCode::UNPROCESSABLE_ENTITY, form, None).await;
    };
    let password = typed.get("password").cloned().unwrap_or_default();
    if let Err(refusal) = check_again(&request, &app.auth, &mut admin, password).await? {
        form.password_error = Some(refusal::sentence(refusal, "Wrong password. No token was made."));
        let shown = load(page.clone(), &app, form, None).await?;
        return refusal::respond(&page, refusal, &shown);
    }
    let made = api_token::random();
    let (hash, actor) = (token::hash(&made), admin.actor());
    let create = app.db.write(move |db| store::create(db, &wanted, &hash, &actor, now));
    let Some(id) = create.await? else {
        form.refusal = Some(format!("There are {TOKENS_MAX} valid tokens. Revoke one that nobody uses."));
        return respond(page, &app, StatusCode::CONFLICT, form, None).await;
    };
    settings.api_tokens.changed().await;
    let cookie = app.cookies.dated(NEW_TOKEN_COOKIE, &format!("{id} {made}"), NEW_TOKEN_KEPT);
    let cookie = cookie.same_site(SameSite::Strict).finish();
    Ok(see_other("/admin/tokens").cookie(cookie).finish())
}

/// `POST /admin/tokens/{id}/revocation`
pub async fn revoke(
    Owner(admin): Owner,
    app: web::Data<App>,
    settings: web::Data<GuardSettings>,
    id: web::Path<i64>,
) -> Result<HttpResponse, Error> {
    let (id, actor, now) = (*id, admin.actor(), Utc::now().naive_utc());
    let is_revoked = app.db.write(move |db| store::revoke(db, id, &actor, now)).await?;
    settings.api_tokens.changed().await;
    let toast = if is_revoked {
        Toast::success("Token revoked. It no longer works.")
    } else {
        Toast::failure("This token was already revoked.")
    };
    Ok(see_other_with(&app.cookies, "/admin/tokens", &toast))
}

async fn respond(
    page: Page,
    app: &App,
    status: StatusCode,
    form: TokenForm,
    new: Option<&str>,
) -> Result<HttpResponse, Error> {
    let shown = load(page.clone(), app, form, new).await?;
    page.respond_unlisted(status, &shown)
}

async fn load(page: Page, app: &App, form: TokenForm, new: Option<&str>) -> Result<TokensPage, Error> {
    let (tokens, clock) = app.db.read_primary(|db| Ok((store::list(db)?, clock(db)?))).await?;
    let now = Utc::now().naive_utc();
    let new = new.and_then(|new| {
        let (id, token) = new.split_once(' ')?;
        let made = tokens.iter().find(|it| it.id.to_string() == id && it.is_valid(now))?;
        Some(NewToken { name: made.name.clone(), token: token.to_owned() })
    });
    let public_url = app.public_url.clone();
    Ok(TokensPage { page, tokens, clock, now, form, new, public_url })
}
