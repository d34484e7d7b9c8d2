//! The OpenAPI 3.1 document, generated from the handlers and types. What all operations share is added here.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

use super::compat;
use super::problem::{FieldError, Problem};
use super::v1;

/// The tag of the operations that need a token.
const ORGANIZING: &str = "Organizing";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "TechKraft Tickets",
        description = "Concerts, ticket availability and bookings. The API uses the same booking engine and rules \
            as the site. It reads no cookies: anyone with a booking's token can view and cancel it. A bearer token \
            from the organizer raises your rate limits, and most sites want one for booking.",
    ),
    paths(
        v1::events::index,
        v1::events::show,
        v1::events::ticket_types,
        v1::events::availability,
        v1::managed_events::create,
        v1::managed_events::update,
        v1::event_acts::publish,
        v1::event_acts::withdraw,
        v1::event_acts::pause,
        v1::event_acts::resume,
        v1::event_image::update,
        v1::event_image::destroy,
        v1::event_acts::archive,
        v1::event_acts::restore,
        v1::managed_ticket_types::create,
        v1::managed_ticket_types::show,
        v1::managed_ticket_types::update,
        v1::bookings::create,
        v1::bookings::show,
        v1::bookings::cancel,
        compat::pages::index,
        compat::pages::create,
    ),
    components(schemas(Problem, FieldError, compat::CompatError)),
    tags(
        (name = "Concerts", description = "Events and availability."),
        (name = "Bookings", description = "Book tickets; the buyer gets a confirmation email."),
        (name = ORGANIZING, description = "For the organizer's programs: create, change, publish and pause concerts \
            and their ticket types, by the rules of the organizer's pages. Each operation needs a token with the scope \
            events:write, which an owner makes at /admin/tokens. Changes say only what changes; an ETag names the \
            version, and If-Match keeps you from changing another one."),
        (name = "Compat API", description = "For clients of the product that this one replaces: prices as \
            numbers, a userId (of your token) instead of a buyer, no email, and errors as { \"error\": … }. It sells the next \
            concert only, of those that are listed and not canceled."),
    ),
    modifiers(&SharedParts)
)]
struct Document;

/// Generated once, when it is first requested.
static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(Document::openapi);
static JSON: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_json().unwrap_or_default());

/// The errors of every operation: status, meaning, and whether only operations that write have it.
pub const COMMON_ERRORS: [(&str, &str, bool); 7] = [
    ("401", "Invalid token", false),
    ("403", "The token’s scope does not allow it, or a cross-site request with cookies", true),
    ("413", "Body too large", true),
    ("415", "Body is not JSON, or uses a content encoding", true),
    ("429", "Too many requests. Wait the seconds in `Retry-After`", false),
    (
        "503",
        "Busy. It is safe to retry after `Retry-After` seconds, a booking with the same Idempotency-Key",
        true,
    ),
    ("default", "Any other error", false),
];

/// `GET /api/v1/openapi.json`: the same for every client of a release.
pub async fn show() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "private, max-age=60"))
        .content_type("application/json")
        .body(JSON.as_str())
}

/// The document as JSON.
#[must_use]
pub fn json() -> &'static str {
    &JSON
}

/// What all operations share: the optional token, the rate limit headers, and the form of errors.
struct SharedParts;

impl Modify for SharedParts {
    fn modify(&self, document: &mut OpenApi) {
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("bearer", bearer);
        let with_token = SecurityRequirement::new::<_, [&str; 0], _>("bearer", []);
        // Either no token or one.
        document.security = Some(vec![SecurityRequirement::default(), with_token.clone()]);
        for (path, item) in &mut document.paths.paths {
            let error = error_of(path);
            for (operation, is_write) in operations(item) {
                if operation.tags.iter().flatten().any(|tag| tag == ORGANIZING) {
                    operation.security = Some(vec![with_token.clone()]);
                }
                add_errors(operation, &error, is_write);
                add_rate_limit_headers(operation);
            }
        }
    }
}

/// Each operation, and whether it writes.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&mut Operation, bool)> {
    let reads = item.get.as_mut().map(|operation| (operation, false));
    let writes = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
    let writes = writes.into_iter().filter_map(Option::as_mut).map(|operation| (operation, true));
    reads.into_iter().chain(writes)
}

/// The content type and schema of the errors of a path.
fn error_of(path: &str) -> (&'static str, Ref) {
    if super::is_compat(path) {
        ("application/json", Ref::from_schema_name("FirstError"))
    } else {
        ("application/problem+json", Ref::from_schema_name("Problem"))
    }
}

fn add_errors(operation: &mut Operation, (content_type, schema): &(&str, Ref), is_write: bool) {
    for (status, description, of_writes) in COMMON_ERRORS {
        if of_writes && !is_write {
            continue;
        }
        let content = ContentBuilder::new().schema(Some(schema.clone())).build();
        let mut response = ResponseBuilder::new().description(description).content(*content_type, content);
        if matches!(status, "429" | "503") {
            response = response.header("Retry-After", header(Type::Integer, "Seconds to wait"));
        }
        operation.responses.responses.entry(status.into()).or_insert_with(|| response.build().into());
    }
}

fn add_rate_limit_headers(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(Response { headers, .. }) = response {
            let what = "Requests left (draft-ietf-httpapi-ratelimit-headers); absent if there is no limit";
            headers.insert("RateLimit".into(), header(Type::String, what).into());
            headers
                .insert("RateLimit-Policy".into(), header(Type::String, "The limit and its window").into());
        }
    }
}

fn header(of: Type, description: &str) -> Header {
    let mut header = Header::new(Object::with_type(of));
    header.description = Some(description.to_owned());
    header
}
