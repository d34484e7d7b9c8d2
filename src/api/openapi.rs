//! The OpenAPI 3.1 document, made from the handlers and the types themselves; what is true of all of them is
//! added here.

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

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "TechKraft Tickets",
        description = "Concerts, what is left of their tickets, and bookings. The same desk and the same rules \
            stand behind it as behind the site's pages. No cookies are read: who may see or cancel a booking is \
            who has its token. A bearer token of the organizer's is optional, and gives a rate limit of one's own.",
    ),
    paths(
        v1::events::index,
        v1::events::show,
        v1::events::ticket_types,
        v1::events::availability,
        v1::bookings::create,
        v1::bookings::show,
        v1::bookings::cancel,
        compat::pages::index,
        compat::pages::create,
    ),
    components(schemas(Problem, FieldError, compat::ErrorMessage)),
    tags(
        (name = "Concerts", description = "What is on, and what is left of it."),
        (name = "Bookings", description = "Tickets for a buyer, whom a mail tells of them."),
        (name = "First contract", description = "The contract of the product that this one follows, for clients \
            that know it: whole dollars, a userId in place of a buyer, no mail, and errors as { \"error\": … }. It \
            acts on the concert that is on sale first."),
    ),
    modifiers(&OfAll)
)]
struct Document;

/// The document, and how it is sent.
static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(Document::openapi);
static JSON: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_json().unwrap_or_default());

/// `GET /api/v1/openapi.json`: the same for everybody, and for as long as this release runs.
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

/// What holds for every operation: a token may be borne, counts are told, and errors have one form.
struct OfAll;

impl Modify for OfAll {
    fn modify(&self, document: &mut OpenApi) {
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("bearer", bearer);
        // One of the two: none, or a token.
        document.security = Some(vec![
            SecurityRequirement::default(),
            SecurityRequirement::new::<_, [&str; 0], _>("bearer", []),
        ]);
        for (path, item) in &mut document.paths.paths {
            let error = error_of(path);
            for (operation, is_post) in operations(item) {
                add_errors(operation, &error, is_post);
                add_counts(operation);
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&mut Operation, bool)> {
    let reads = item.get.as_mut().map(|operation| (operation, false));
    reads.into_iter().chain(item.post.as_mut().map(|operation| (operation, true)))
}

/// The type and the schema of a contract's errors.
fn error_of(path: &str) -> (&'static str, Ref) {
    if super::is_compat(path) {
        ("application/json", Ref::from_schema_name("FirstError"))
    } else {
        ("application/problem+json", Ref::from_schema_name("Problem"))
    }
}

fn add_errors(operation: &mut Operation, (content_type, schema): &(&str, Ref), is_post: bool) {
    let of_all = [
        ("401", "The token is not known", false),
        ("403", "A request with cookies, from a page of another site", true),
        ("413", "The body is longer than 16 KiB", true),
        ("415", "The body is no JSON, or encoded", true),
        ("429", "Too many requests; `Retry-After` says how many seconds to wait", false),
        ("503", "Busy; trying again in `Retry-After` seconds is safe with an Idempotency-Key", true),
        ("default", "Any other error", false),
    ];
    for (status, description, of_posts) in of_all {
        if of_posts && !is_post {
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

fn add_counts(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(Response { headers, .. }) = response {
            let what =
                "How many requests are left (draft-ietf-httpapi-ratelimit-headers), where they are limited";
            headers.insert("RateLimit".into(), header(Type::String, what).into());
            headers.insert(
                "RateLimit-Policy".into(),
                header(Type::String, "How many there are, and in how long").into(),
            );
        }
    }
}

fn header(of: Type, description: &str) -> Header {
    let mut header = Header::new(Object::with_type(of));
    header.description = Some(description.to_owned());
    header
}
