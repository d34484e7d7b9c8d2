//! `/admin/setup`: whether everything is set that selling to the public needs, and how to set what is not.
//!
//! How a setting is read does not belong here: see `config`.

mod check;
mod checks;
pub mod first_run;
mod machine;
mod payments;
pub mod steps;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use self::check::{DatabaseFacts, SetupCheck, SetupState};
use crate::app::App;
use crate::auth::access::Owner;
use crate::error::Error;
use crate::guard::GuardSettings;
use crate::page::Page;

#[derive(Template)]
#[template(path = "admin/setup.html")]
struct SetupPage {
    page: Page,
    checks: Vec<SetupCheck>,
}

impl SetupPage {
    fn count(&self, state: SetupState) -> usize {
        self.checks.iter().filter(|check| check.state == state).count()
    }
}

/// `GET /admin/setup`
pub async fn show(
    page: Page,
    _: Owner,
    app: web::Data<App>,
    guard: web::Data<GuardSettings>,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let facts = app.db.read_primary(DatabaseFacts::read).await?;
    let account = payments::ask(&app).await;
    let mut checks = checks::all(&app, &facts, &guard, &page.links, &request);
    checks.push(payments::account(account, &facts.events));
    checks.extend(payments::webhook(account, &facts.webhook, &app.public_url, facts.now));
    checks.sort_by_key(|check| check.state);
    page.clone().respond_unlisted(StatusCode::OK, &SetupPage { page, checks })
}
