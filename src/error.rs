//! What really went wrong, and the page that a visitor sees then. A tier that is sold out is no error:
//! see [`crate::booking::BookingOutcome`].

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use thiserror::Error;

use crate::page::Page;
use crate::start_error::StartError;

/// Why a request got no answer of its own. Logged once, where it becomes a response.
#[derive(Debug, Error)]
pub enum Error {
    #[error("not found")]
    NotFound,
    /// A body that is no form, or too large a one.
    #[error("unreadable request: {0}")]
    Unreadable(String, StatusCode),
    /// A state change asked for by a page of another site.
    #[error("cross-site request refused")]
    CrossSite,
    /// A page of the admin's, asked for by somebody who has not signed in.
    #[error("sign-in required")]
    SignInRequired { wants_fragment: bool },
    /// The page exists, but takes only the methods named here.
    #[error("method not allowed")]
    MethodNotAllowed { allowed: &'static str },
    /// More work than the server takes on; trying again is safe.
    #[error("busy")]
    Busy,
    /// More than one client may ask for; over after the wait.
    #[error("too many requests")]
    RateLimited { wait_seconds: u64 },
    #[error("database: {0}")]
    Database(diesel::result::Error),
    #[error("internal: {0}")]
    Internal(String),
}

impl From<askama::Error> for Error {
    fn from(error: askama::Error) -> Self {
        Self::Internal(format!("template: {error}"))
    }
}

const SIGN_IN: &str = "/admin/sign-in";

/// Seconds after which a visitor may try again when the server was busy.
pub(crate) const RETRY_AFTER_SECONDS: u32 = 2;

impl From<actix_web::error::BlockingError> for Error {
    fn from(_: actix_web::error::BlockingError) -> Self {
        Self::Internal("the thread pool is shutting down".into())
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Unreadable(_, status) => *status,
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::SignInRequired { wants_fragment: false } => StatusCode::SEE_OTHER,
            Self::SignInRequired { wants_fragment: true } => StatusCode::UNAUTHORIZED,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Database(_) | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if self.status_code() == StatusCode::INTERNAL_SERVER_ERROR {
            log::error!("{}", crate::log_safe::one_line(self));
        }
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CACHE_CONTROL, "no-store"));
        match self {
            Self::SignInRequired { wants_fragment: false } => response.insert_header((LOCATION, SIGN_IN)),
            Self::SignInRequired { wants_fragment: true } => response.insert_header(("HX-Redirect", SIGN_IN)),
            Self::MethodNotAllowed { allowed } => response.insert_header((ALLOW, *allowed)),
            Self::Busy => response.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS.to_string())),
            Self::RateLimited { wait_seconds } => {
                response.insert_header((RETRY_AFTER, wait_seconds.to_string()))
            }
            _ => &mut response,
        };
        let (title, explanation) = self.words();
        let status = self.status_code().as_u16();
        let wait_seconds = match self {
            Self::RateLimited { wait_seconds } => Some(*wait_seconds),
            _ => None,
        };
        let page = ErrorPage { page: Page::default(), status, title, explanation, wait_seconds };
        match page.render() {
            Ok(html) => response.content_type("text/html; charset=utf-8").body(html),
            Err(e) => {
                log::error!("the error page does not render: {e}");
                response.content_type("text/plain; charset=utf-8").body(title)
            }
        }
    }
}

impl Error {
    /// A title and a way on, without anything about the server's inside.
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => (
                "This page is not on the bill",
                "The address may be mistyped, or what stood here has moved. The concert is still on.",
            ),
            Self::Unreadable(_, StatusCode::PAYLOAD_TOO_LARGE) => (
                "That was too much to read",
                "The form held more than a booking ever needs. Go back, shorten what you typed, and send it again.",
            ),
            Self::Unreadable(_, StatusCode::URI_TOO_LONG) => (
                "That address is too long",
                "No page of ours has one like it. Start from the concert's page, and everything will be where it should be.",
            ),
            Self::Unreadable(..) => (
                "We could not read that form",
                "Something in it was not as a browser sends it. Go back and send it again; nothing was booked.",
            ),
            Self::CrossSite => (
                "That came from another site",
                "For your safety we only accept what is sent from our own pages. Nothing was changed.",
            ),
            Self::SignInRequired { .. } => ("Please sign in", "This page is the organizer's."),
            Self::MethodNotAllowed { .. } => (
                "That is not how this page works",
                "Start from the concert's page, and everything will be where it should be.",
            ),
            Self::Busy => (
                "It is very busy right now",
                "We cannot confirm it yet. Trying again in a moment is safe: the same form never books twice, and finds what it has booked.",
            ),
            Self::RateLimited { .. } => (
                "One moment, please",
                "More came over your connection, which others may share, than we take at once, so nothing was changed. Wait that long, then reload this page or go back: a form is still as you left it, and the same form never books twice.",
            ),
            Self::Database(_) | Self::Internal(_) => (
                "Something broke backstage",
                "It is our fault, not yours, and it has been written down. Trying again is safe: the same form never books twice.",
            ),
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    page: Page,
    status: u16,
    title: &'static str,
    explanation: &'static str,
    /// After which it goes on.
    wait_seconds: Option<u64>,
}

/// Only the line: a start that fails has no page.
impl From<Error> for StartError {
    fn from(error: Error) -> Self {
        Self::new(crate::log_safe::one_line(&error))
    }
}
