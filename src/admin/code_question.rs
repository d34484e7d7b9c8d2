//! The page that asks for a code after the password.

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use askama::Template;

use super::typed_form::TypedForm;
use crate::auth::return_path::ReturnPath;
use crate::error::Error;
use crate::page::{Page, html};

#[derive(Template)]
#[template(path = "admin/sign_in_code.html")]
pub(super) struct SignInCodePage {
    pub page: Page,
    pub error: Option<String>,
    /// Where the sign-in leads.
    pub next: Option<ReturnPath>,
    /// What was typed into a form when the session ended.
    pub typed: TypedForm,
}

/// Answers a right password with the question for a code. The page carries what was typed before the session
/// ended.
pub(super) fn ask(
    page: Page,
    cookie: Cookie<'static>,
    next: Option<ReturnPath>,
    typed: TypedForm,
) -> Result<HttpResponse, Error> {
    let mut response = page.unlisted_builder(StatusCode::OK);
    let asked = SignInCodePage { page, error: None, next, typed };
    Ok(response.cookie(cookie).body(html(&asked)?))
}
