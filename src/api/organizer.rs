//! API access for the organizer's programs: who may see and change concerts, and which version a change is
//! based on.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_MATCH, VARY};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};

use super::problem::{FieldError, Problem, ProblemType};
use crate::audit::Actor;
use crate::guard::api_tokens::scopes::Scope;
use crate::guard::api_tokens::{self, ApiToken};
use crate::guard::client_address;

/// How often a change that names no version is tried on a newer state before it is refused.
pub const TRIES: usize = 4;

/// A program that may change concerts. A handler that takes one requires a token with the scope `events:write`.
#[derive(Debug, Clone)]
pub struct EventsWriter {
    /// As the audit log names it.
    pub actor: Actor,
}

/// A program that may see everything of a concert. A handler that takes one requires a token with the scope
/// `events:read`.
#[derive(Debug, Clone, Copy)]
pub struct EventsReader;

/// Whether a program may see drafts. Everybody may ask; a token with the scope `events:read` sees more.
#[derive(Debug, Clone, Copy)]
pub struct MaySeeDrafts(pub bool);

impl FromRequest for EventsWriter {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = required_token(request, Scope::EventsWrite);
        ready(token.map(|token| Self { actor: actor(&token, request) }))
    }
}

impl FromRequest for EventsReader {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(required_token(request, Scope::EventsRead).map(|_| Self))
    }
}

fn required_token(request: &HttpRequest, scope: Scope) -> Result<Arc<ApiToken>, Problem> {
    match api_tokens::of_request(request) {
        None => Err(Problem::new(ProblemType::TokenRequired)),
        Some(token) if !token.allows(scope) => Err(Problem::insufficient_scope(scope)),
        Some(token) => Ok(token),
    }
}

/// No username begins like this: usernames have no spaces.
fn actor(token: &ApiToken, request: &HttpRequest) -> Actor {
    let client_address = client_address::of(request).to_string();
    Actor { name: format!("API token {}", token.name), client_address }
}

impl FromRequest for MaySeeDrafts {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = api_tokens::of_request(request);
        ready(Ok(Self(token.is_some_and(|token| token.allows(Scope::EventsRead)))))
    }
}

/// The version that a change is based on, from `If-Match`. `None`: any version. A change writes only the
/// fields that it names, so even without a version it keeps what somebody else has changed meanwhile.
///
/// # Errors
/// The problem, if the header is not an ETag of ours.
pub fn wanted_version(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    let mut all = request.headers().get_all(IF_MATCH);
    let Some(only) = all.next() else { return Ok(None) };
    let tag = only.to_str().ok().filter(|_| all.next().is_none()).map(str::trim);
    if tag == Some("*") {
        return Ok(None);
    }
    let version = tag.and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok());
    version.map(Some).ok_or_else(|| {
        let error = FieldError::in_header("If-Match", "Use the ETag of the state that you change.");
        Problem::new(ProblemType::InvalidRequest).with_errors(vec![error])
    })
}

/// Refuses a change of another version than the one that is wanted.
///
/// # Errors
/// [`ProblemType::ChangedMeanwhile`]
pub fn check_version(wanted: Option<i64>, is: i64) -> Result<(), Problem> {
    match wanted {
        Some(wanted) if wanted != is => Err(Problem::new(ProblemType::ChangedMeanwhile)),
        _ => Ok(()),
    }
}

/// Responds with what only the organizer's programs see, so no cache keeps it.
pub fn respond(
    response: &mut HttpResponseBuilder,
    version: i64,
    body: &impl serde::Serialize,
) -> HttpResponse {
    if let Ok(tag) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.insert_header((ETAG, tag));
    }
    response.insert_header((CACHE_CONTROL, "private, no-store")).insert_header((VARY, "authorization"));
    response.json(body)
}
