//! Errors as `application/problem+json` (RFC 9457).
//!
//! Pages about errors do not belong here: see `error`.

mod problem_type;

use std::fmt;
use std::num::NonZeroU32;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::problem_type::ProblemType;
use super::body::Unreadable;
use crate::booking::NotOnSale;
use crate::error::{Error, RETRY_AFTER_SECONDS};
use crate::guard::api_tokens::scopes::Scope;

/// An error (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    #[serde(skip)]
    kind: ProblemType,
    /// Machine-readable error type; stable.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/api/docs#problem-invalid-request")]
    type_uri: String,
    /// The error type in a few words.
    #[schema(example = "Invalid request")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    status: u16,
    /// An explanation of this error.
    detail: String,
    /// Each invalid part of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// Tickets left; only with `not-enough-tickets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    available: Option<i32>,
    /// Tickets left of each ticket type that was ordered; only with `not-enough-tickets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<LineLeft>, required = false)]
    lines: Option<Box<[LineLeft]>>,
    /// Seconds until the same request may succeed.
    #[serde(skip)]
    wait_seconds: Option<NonZeroU32>,
    /// What the token lacks.
    #[serde(skip)]
    scope: Option<Scope>,
}

/// Tickets left of a ticket type that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineLeft {
    #[schema(example = "1")]
    pub ticket_type_id: String,
    #[schema(example = 2, minimum = 1)]
    pub quantity: i32,
    #[schema(example = 1, minimum = 0)]
    pub available: i32,
}

/// What is wrong with one part of the request: `pointer`, `parameter` or `header` says which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    #[schema(example = "Choose at least 1 ticket.")]
    pub detail: String,
    /// A body field, as a JSON Pointer in a URI fragment (RFC 6901, section 6).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "#/quantity")]
    pub pointer: Option<String>,
    /// A query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parameter: Option<String>,
    /// A header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub header: Option<String>,
}

impl FieldError {
    /// Of a field of the body's object.
    #[must_use]
    pub fn in_body(field: &str, detail: impl Into<String>) -> Self {
        Self { pointer: Some(format!("#/{field}")), ..Self::of(detail) }
    }

    /// Of a parameter of the query.
    #[must_use]
    pub fn in_query(parameter: &str, detail: impl Into<String>) -> Self {
        Self { parameter: Some(parameter.to_owned()), ..Self::of(detail) }
    }

    /// Of a header.
    #[must_use]
    pub fn in_header(header: &str, detail: impl Into<String>) -> Self {
        Self { header: Some(header.to_owned()), ..Self::of(detail) }
    }

    fn of(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), pointer: None, parameter: None, header: None }
    }
}

impl Problem {
    /// A problem with the explanation of its type.
    #[must_use]
    pub fn new(kind: ProblemType) -> Self {
        let (_, status, title, meaning) = kind.facts();
        let detail = meaning.to_owned();
        Self {
            kind,
            type_uri: kind.uri(),
            title,
            status,
            detail,
            errors: Vec::new(),
            available: None,
            lines: None,
            scope: None,
            wait_seconds: if status == 503 { NonZeroU32::new(RETRY_AFTER_SECONDS) } else { None },
        }
    }

    /// The same with another explanation.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// The same with the invalid parts of the request.
    #[must_use]
    pub fn with_errors(self, errors: Vec<FieldError>) -> Self {
        Self { errors, ..self }
    }

    /// Too few tickets are left.
    #[must_use]
    pub fn not_enough(lines: Vec<LineLeft>) -> Self {
        let available = lines.iter().find(|line| line.available < line.quantity).map(|line| line.available);
        Self { available, lines: Some(lines.into()), ..Self::new(ProblemType::NotEnoughTickets) }
    }

    /// The token allows other things.
    #[must_use]
    pub fn insufficient_scope(scope: Scope) -> Self {
        let detail = format!("This needs a token with the scope {}.", scope.as_str());
        Self { scope: Some(scope), ..Self::new(ProblemType::InsufficientScope).with_detail(detail) }
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }

    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The response.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        let body = serde_json::to_string(self).unwrap_or_default();
        let mut response = HttpResponse::build(self.status());
        response.content_type("application/problem+json");
        self.add_headers(&mut response);
        response.body(body)
    }

    /// The headers of the response, whatever the form of its body.
    pub fn add_headers(&self, response: &mut HttpResponseBuilder) {
        response.insert_header((CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.wait_seconds {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if self.kind == ProblemType::TokenRequired {
            // RFC 6750, section 3: without a token there is no error code.
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(scope) = self.scope {
            let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", scope.as_str());
            response.insert_header((WWW_AUTHENTICATE, challenge));
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        if error.status_code() == StatusCode::INTERNAL_SERVER_ERROR {
            log::error!("{}", crate::log_safe::one_line(&error));
        }
        match error {
            Error::OutcomeUnknown => Self::new(ProblemType::OutcomeUnknown),
            Error::RateLimited { wait_seconds } => Self {
                wait_seconds: u32::try_from(wait_seconds).ok().and_then(NonZeroU32::new),
                ..Self::new(ProblemType::TooManyRequests)
                    .with_detail(format!("Too many tickets for now. Try again in {wait_seconds} seconds."))
            },
            other => Self::new(ProblemType::of_status(other.status_code())),
        }
    }
}

impl From<Unreadable> for Problem {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::NotJson => Self::new(ProblemType::UnsupportedMediaType),
            Unreadable::TooLarge => Self::new(ProblemType::BodyTooLarge),
            Unreadable::Malformed(what) => Self::new(ProblemType::MalformedRequest).with_detail(what),
        }
    }
}

impl From<NotOnSale> for ProblemType {
    fn from(why: NotOnSale) -> Self {
        match why {
            NotOnSale::NotYet => Self::NotOnSaleYet,
            NotOnSale::Ended => Self::SaleEnded,
            NotOnSale::Paused => Self::SalePaused,
            NotOnSale::Canceled => Self::EventCanceled,
            NotOnSale::WaitingRoom => Self::WaitingRoom,
        }
    }
}
