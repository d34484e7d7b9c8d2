//! Why a request failed, and the page that a visitor sees then. A ticket type that is sold out is no error:
//! see [`crate::booking::BookingOutcome`].

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use askama::Template;
use thiserror::Error;

use crate::page::Page;
use crate::role::AccountRole;
use crate::start_error::StartError;

/// Why a request failed. Server errors are logged once, where they become a response.
#[derive(Debug, Error)]
pub enum Error {
    #[error("not found")]
    NotFound,
    /// Something that existed, and is gone for good.
    #[error("gone")]
    Gone { title: &'static str, explanation: &'static str },
    /// A request that cannot be used: a body that is not a form, or a body, address or header that is too long, or a
    /// host that is not this site. With the status that says which.
    #[error("unreadable request: {0}")]
    Unreadable(String, StatusCode),
    /// A state change sent from another site.
    #[error("cross-site request refused")]
    CrossSite,
    /// A form of this site, opened under another name than `PUBLIC_URL`.
    #[error("sent from another address of the site")]
    OtherAddress { own: String },
    /// An organizer's page, requested without a session. The URL is the sign-in's, with the way back.
    #[error("sign-in required")]
    SignInRequired { wants_fragment: bool, url: String },
    /// An organizer's page, requested by an account that must do something else first, at the URL: choose a password of
    /// its own, or set up the second factor.
    #[error("another step required")]
    StepRequired { wants_fragment: bool, url: &'static str },
    /// A page that the account's role does not open.
    #[error("{} required", needed.as_str())]
    RoleRequired { has: AccountRole, needed: AccountRole },
    /// The URL exists, but takes only these methods.
    #[error("method not allowed")]
    MethodNotAllowed { allowed: &'static str },
    /// Overloaded, or the database is away; trying again is safe.
    #[error("busy")]
    Busy,
    /// The connection to the database was lost before it confirmed the commit, so the work may have been done. For a
    /// booking, sending the same form or key again finds out.
    #[error("outcome unknown")]
    OutcomeUnknown,
    /// The client has used up its rate; it may try again after the wait.
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

/// `Retry-After` of a busy server.
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
            Self::Gone { .. } => StatusCode::GONE,
            Self::Unreadable(_, status) => *status,
            Self::CrossSite | Self::OtherAddress { .. } | Self::RoleRequired { .. } => StatusCode::FORBIDDEN,
            Self::SignInRequired { wants_fragment: false, .. }
            | Self::StepRequired { wants_fragment: false, .. } => StatusCode::SEE_OTHER,
            Self::SignInRequired { wants_fragment: true, .. } => StatusCode::UNAUTHORIZED,
            Self::StepRequired { wants_fragment: true, .. } => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Busy | Self::OutcomeUnknown => StatusCode::SERVICE_UNAVAILABLE,
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
            Self::SignInRequired { wants_fragment: false, url } => {
                response.insert_header((LOCATION, url.as_str()))
            }
            Self::SignInRequired { wants_fragment: true, url } => {
                response.insert_header(("HX-Redirect", url.as_str()))
            }
            Self::StepRequired { wants_fragment: false, url } => response.insert_header((LOCATION, *url)),
            Self::StepRequired { wants_fragment: true, url } => response.insert_header(("HX-Redirect", *url)),
            Self::MethodNotAllowed { allowed } => response.insert_header((ALLOW, *allowed)),
            Self::Busy | Self::OutcomeUnknown => {
                response.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS.to_string()))
            }
            Self::RateLimited { wait_seconds } => {
                response.insert_header((RETRY_AFTER, wait_seconds.to_string()))
            }
            _ => &mut response,
        };
        let (title, explanation) = self.copy();
        let status = self.status_code().as_u16();
        let wait_seconds = match self {
            Self::RateLimited { wait_seconds } => Some(*wait_seconds),
            _ => None,
        };
        let own_address = match self {
            Self::OtherAddress { own } => Some(own.as_str()),
            _ => None,
        };
        let can_be_tried_again = matches!(status, 429 | 500 | 503) && !matches!(self, Self::OutcomeUnknown);
        if let Self::RoleRequired { has, needed } = *self {
            let page = RolePage { page: Page::of_role(has), title, has, needed };
            return as_page(&mut response, &page, title);
        }
        let page = ErrorPage {
            page: Page::default(),
            status,
            title,
            explanation,
            wait_seconds,
            own_address,
            can_be_tried_again,
        };
        as_page(&mut response, &page, title)
    }
}

fn as_page(response: &mut HttpResponseBuilder, page: &impl Template, title: &'static str) -> HttpResponse {
    match page.render() {
        Ok(html) => response.content_type("text/html; charset=utf-8").body(html),
        Err(e) => {
            log::error!("the error page does not render: {e}");
            response.content_type("text/plain; charset=utf-8").body(title)
        }
    }
}

impl Error {
    /// The page's title and what to do now. Says nothing about the server's internals.
    fn copy(&self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => (
                "We can’t find this page",
                "The address may be wrong, or the page is gone. If it was the link to a booking, look for a newer email: when a booking’s email address changes, older links stop working.",
            ),
            Self::Gone { title, explanation } => (title, explanation),
            Self::Unreadable(_, StatusCode::PAYLOAD_TOO_LARGE) => (
                "That’s too long",
                "Go back, shorten what you typed, and send it again. Nothing was changed.",
            ),
            Self::Unreadable(_, StatusCode::URI_TOO_LONG) => {
                ("That address is too long", "Start again from the concert page.")
            }
            Self::Unreadable(_, StatusCode::MISDIRECTED_REQUEST) => (
                "This address isn’t set up",
                "If you run this site, set PUBLIC_URL to the address that visitors use.",
            ),
            Self::Unreadable(_, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE) => (
                "Your browser sent too much",
                "Delete the cookies of this site and try again. Nothing was booked.",
            ),
            Self::Unreadable(..) => {
                ("We couldn’t read that form", "Go back and try again. Nothing was booked.")
            }
            Self::CrossSite => (
                "Request blocked",
                "For your security we accept forms from this site only. Nothing was changed.",
            ),
            Self::OtherAddress { .. } => (
                "This isn’t our usual address",
                "We accept forms at one address only, to keep your booking safe. Nothing was changed. Start again there:",
            ),
            Self::SignInRequired { .. } => ("Please sign in", "This page is for organizers."),
            Self::StepRequired { .. } => {
                ("One more step first", "Finish setting up your account, then try again.")
            }
            Self::RoleRequired { .. } => {
                ("Your account can’t open this page", "Ask an owner for another role.")
            }
            Self::MethodNotAllowed { .. } => ("That didn’t work", "Start again from the concert page."),
            Self::Busy => (
                "We’re very busy",
                "We couldn’t do this yet. If you sent a form, send it again: you won’t be booked twice.",
            ),
            Self::OutcomeUnknown => (
                "Did it go through?",
                "We lost the connection to our database, so your change may or may not have been saved. Check before you try again. A booking form can safely be sent again: you won’t be booked twice.",
            ),
            Self::RateLimited { .. } => (
                "One moment, please",
                "Too many requests came from your network, so nothing was changed. If you sent a form, go back: it is still filled in, and you won’t be booked twice.",
            ),
            Self::Database(_) | Self::Internal(_) => (
                "Something broke backstage",
                "Our fault, and it’s been logged. Go back and try again: you won’t be booked twice.",
            ),
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    page: Page,
    status: u16,
    title: &'static str,
    explanation: &'static str,
    /// Seconds until the next try may succeed.
    wait_seconds: Option<u64>,
    /// Where the site is, when that was the mistake.
    own_address: Option<&'a str>,
    /// Whether the same request may succeed later.
    can_be_tried_again: bool,
}

/// Tells somebody who may not open a page which role may. It keeps the links to the pages that they may open.
#[derive(Template)]
#[template(path = "admin/role.html")]
struct RolePage {
    page: Page,
    title: &'static str,
    has: AccountRole,
    needed: AccountRole,
}

/// A failed start has no page, so only the line is kept.
impl From<Error> for StartError {
    fn from(error: Error) -> Self {
        Self::new(crate::log_safe::one_line(&error))
    }
}
