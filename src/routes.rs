//! The whole URL map.

use actix_web::error::UrlencodedError;
use actix_web::guard::{Any, Get, Head};
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::middleware::Compress;
use actix_web::web::{self, FormConfig, PayloadConfig, ServiceConfig, post, to};
use actix_web::{HttpRequest, HttpResponse, Resource, Route};

use crate::error::Error;
use crate::{admin, assets, booking, events, tickets};

/// The most that a form may hold, in bytes: several times the longest name and address.
const FORM_BYTES_MAX: usize = 16 * 1024;

/// Which handler answers which URL. Patterns are tried in this order.
pub fn configure(site: &mut ServiceConfig) {
    site.app_data(
        FormConfig::default().limit(FORM_BYTES_MAX).error_handler(|e, _| unreadable_form(&e).into()),
    )
    .app_data(PayloadConfig::new(FORM_BYTES_MAX))
    // First what a crowd asks for all the time. It is compressed already, or too short for it.
    .service(page("/events/{slug}/availability").route(get().to(events::pages::availability)))
    .service(page("/static/{name:.*}").route(get().to(assets::show)))
    .service(page("/favicon.ico").route(get().to(assets::favicon)))
    .service(page("/robots.txt").route(get().to(assets::robots)))
    .service(web::scope("").wrap(Compress::default()).configure(pages));
}

fn pages(site: &mut ServiceConfig) {
    // Bookings
    site.service(
        form("/bookings").route(get().to(booking::pages::index)).route(post().to(booking::pages::create)),
    )
    .service(page("/bookings/new").route(get().to(booking::pages::new)))
    .service(page("/bookings/{token}").route(get().to(booking::pages::show)))
    .service(page("/bookings/{token}/calendar.ics").route(get().to(booking::pages::calendar)))
    .service(
        form("/bookings/{token}/cancellation")
            .route(get().to(booking::cancellation::pages::new))
            .route(post().to(booking::cancellation::pages::create)),
    )
    .service(act("/buyer/forget").route(post().to(booking::pages::forget_buyer)))
    // Concerts
    .service(page("/").route(get().to(events::pages::index)))
    .service(page("/events/{slug}").route(get().to(events::pages::show)))
    // The organiser
    .service(page("/admin").route(get().to(admin::pages::show)))
    .service(page("/admin/sales").route(get().to(admin::pages::sales)))
    .service(
        form("/admin/check-in")
            .route(get().to(tickets::pages::show))
            .route(post().to(tickets::pages::create)),
    )
    .service(
        form("/admin/check-in/gate")
            .route(get().to(tickets::pages::edit_gate))
            .route(post().to(tickets::pages::update_gate)),
    )
    .service(page("/admin/check-in/turnout").route(get().to(tickets::pages::turnout)))
    .service(act("/admin/check-in/revocation").route(post().to(tickets::pages::revoke)))
    .service(
        form("/admin/sign-in")
            .route(get().to(admin::pages::new_session))
            .route(post().to(admin::pages::create_session)),
    )
    .service(act("/admin/sign-out").route(post().to(admin::pages::destroy_session)))
    .service(
        form("/admin/reseed").route(get().to(admin::reseed::new)).route(post().to(admin::reseed::create)),
    )
    .service(page("/admin/bookings").route(get().to(admin::bookings::index)))
    .service(page("/admin/bookings/{reference}").route(get().to(admin::bookings::show)))
    .service(
        form("/admin/bookings/{reference}/cancellation")
            .route(get().to(admin::bookings::new_cancellation))
            .route(post().to(admin::bookings::create_cancellation)),
    )
    .service(page("/admin/events/{slug}/bookings.csv").route(get().to(admin::export::show)))
    .default_service(to(elsewhere));
}

/// A path, percent-decoded as the routes are matched with it, as it may stand in a log: in one line, and of a
/// booking's token, which opens the booking, only the start, however many slashes stand before it.
#[must_use]
pub fn without_secrets(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let shown = match parts.as_slice() {
        ["bookings", token, pages @ ..] if *token != "new" => {
            let start: String = token.chars().take(4).collect();
            [&["", "bookings", &format!("{start}…")], pages].concat().join("/")
        }
        _ => path.to_owned(),
    };
    // A line break that was encoded would begin a line of its own.
    if shown.chars().any(char::is_control) { shown.escape_debug().to_string() } else { shown }
}

/// What is read.
fn page(path: &str) -> Resource {
    web::resource(path).default_service(only("GET, HEAD"))
}

/// What is read, and posted back to.
fn form(path: &str) -> Resource {
    web::resource(path).default_service(only("GET, HEAD, POST"))
}

/// What is only posted to.
fn act(path: &str) -> Resource {
    web::resource(path).default_service(only("POST"))
}

fn get() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}

fn only(allowed: &'static str) -> Route {
    to(move || async move { Err::<HttpResponse, _>(Error::MethodNotAllowed { allowed }) })
}

/// Slashes too many are forgiven: the address without them is shown. Everything else is not found.
async fn elsewhere(request: HttpRequest) -> Result<HttpResponse, Error> {
    let path = tidy(request.path());
    // Browsers take a backslash for a slash, and two of them for the beginning of another site's address.
    if path == request.path() || path.contains('\\') {
        return Err(Error::NotFound);
    }
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(HttpResponse::PermanentRedirect().insert_header((LOCATION, format!("{path}{query}"))).finish())
}

/// A path with no empty parts: it never begins with two slashes, which would name another site.
fn tidy(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty());
    format!("/{}", parts.collect::<Vec<_>>().join("/"))
}

fn unreadable_form(error: &UrlencodedError) -> Error {
    let status = match error {
        UrlencodedError::Overflow { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        UrlencodedError::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Error::Unreadable(error.to_string(), status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_too_many_lead_nowhere_else() {
        assert_eq!(tidy("/events/midnight-parade/"), "/events/midnight-parade");
        assert_eq!(tidy("//evil.example//x/"), "/evil.example/x");
        assert_eq!(tidy("/bookings"), "/bookings");
    }

    #[test]
    fn a_log_does_not_open_bookings() {
        assert_eq!(without_secrets("/bookings/AbCdEfGh/calendar.ics"), "/bookings/AbCd…/calendar.ics");
        assert_eq!(without_secrets("/bookings/AbCdEfGh"), "/bookings/AbCd…");
        assert_eq!(without_secrets("//bookings//AbCdEfGh/"), "/bookings/AbCd…");
        assert_eq!(without_secrets("/bookings/new"), "/bookings/new");
        assert_eq!(without_secrets("/bookings/newCdEfGh"), "/bookings/newC…");
        assert_eq!(without_secrets("/bookings"), "/bookings");
        assert_eq!(without_secrets("/x\nGET /\u{1b}[31m"), "/x\\nGET /\\u{1b}[31m", "one line");
    }
}
