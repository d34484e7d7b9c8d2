//! The whole URL map.

use actix_web::http::header::LOCATION;
use actix_web::middleware::Compress;
use actix_web::web::{self, PathConfig, PayloadConfig, ServiceConfig, post, to};
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Error;
use crate::guard::shape::BODY_BYTES_MAX;
use crate::resource::{act, form, get, page};
use crate::{admin, api, assets, booking, events, mail, tickets};

/// Which handler answers which URL. Patterns are tried in this order.
pub fn configure(site: &mut ServiceConfig) {
    site.app_data(PayloadConfig::new(BODY_BYTES_MAX))
        .app_data(PathConfig::default().error_handler(|_, _| Error::NotFound.into()))
        // First what a crowd asks for all the time. It is compressed already, or too short for it.
        .service(page("/events/{slug}/availability").route(get().to(events::pages::availability)))
        .service(page("/static/{name:.*}").route(get().to(assets::show)))
        .service(page("/favicon.ico").route(get().to(assets::favicon)))
        .service(page("/robots.txt").route(get().to(assets::robots)))
        .service(web::scope("").wrap(Compress::default()).configure(programs).configure(pages));
}

fn pages(site: &mut ServiceConfig) {
    // Bookings
    site.service(
        form("/bookings")
            .route(get().to(booking::lookup::pages::index))
            .route(post().to(booking::pages::create)),
    )
    .service(page("/bookings/new").route(get().to(booking::pages::new)))
    .service(
        form("/bookings/find")
            .route(get().to(booking::lookup::pages::new))
            .route(post().to(booking::lookup::pages::create)),
    )
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
    .service(page("/events/{slug}").route(get().to(events::pages::show)));
    organizers(site);
    site.default_service(to(elsewhere));
}

/// The organizer's.
fn organizers(site: &mut ServiceConfig) {
    site.service(page("/admin").route(get().to(admin::pages::show)))
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
                .route(get().to(admin::sign_in::new))
                .route(post().to(admin::sign_in::create)),
        )
        .service(act("/admin/sign-out").route(post().to(admin::sign_in::destroy)))
        .service(
            form("/admin/account")
                .route(get().to(admin::account::show))
                .route(post().to(admin::account::destroy_sessions)),
        )
        .service(
            form("/admin/password")
                .route(get().to(admin::password_change::edit))
                .route(post().to(admin::password_change::update)),
        )
        .service(page("/admin/audit-log").route(get().to(admin::audit_log::index)))
        .service(page("/admin/mails").route(get().to(mail::pages::index)))
        .service(act("/admin/mails/attempts").route(post().to(mail::pages::create_attempts)))
        .service(act("/admin/mails/{id}/attempts").route(post().to(mail::pages::create_attempt)))
        .service(
            form("/admin/reseed").route(get().to(admin::reseed::new)).route(post().to(admin::reseed::create)),
        )
        .service(page("/admin/bookings").route(get().to(admin::bookings::index)))
        .service(page("/admin/bookings/{reference}").route(get().to(admin::bookings::show)))
        .service(
            form("/admin/bookings/{reference}/cancellation")
                .route(get().to(admin::cancellation::new))
                .route(post().to(admin::cancellation::create)),
        )
        .service(page("/admin/events/{slug}/bookings.csv").route(get().to(admin::export::show)))
        .service(
            form("/admin/events/{slug}/terms")
                .route(get().to(admin::terms::edit))
                .route(post().to(admin::terms::update)),
        )
        .default_service(to(elsewhere));
}

/// The API. Its errors are put into JSON at its door.
fn programs(site: &mut ServiceConfig) {
    use api::v1::{bookings, events};
    site.service(page("/api/v1/events").route(get().to(events::index)))
        .service(page("/api/v1/events/{slug}").route(get().to(events::show)))
        .service(page("/api/v1/events/{slug}/ticket-types").route(get().to(events::ticket_types)))
        .service(page("/api/v1/events/{slug}/availability").route(get().to(events::availability)))
        .service(act("/api/v1/bookings").route(post().to(bookings::create)))
        .service(page("/api/v1/bookings/{token}").route(get().to(bookings::show)))
        .service(act("/api/v1/bookings/{token}/cancellation").route(post().to(bookings::cancel)))
        .service(page("/api/v1/openapi.json").route(get().to(api::openapi::show)))
        .service(page("/api/docs").route(get().to(api::docs::show)))
        // The first contract
        .service(page("/api/tickets").route(get().to(api::first::pages::index)))
        .service(act("/api/bookings").route(post().to(api::first::pages::create)));
}

/// Slashes too many are forgiven: the address without them is shown. Everything else is not found.
async fn elsewhere(request: HttpRequest) -> Result<HttpResponse, Error> {
    let path = tidy(request.path()).ok_or(Error::NotFound)?;
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(HttpResponse::PermanentRedirect().insert_header((LOCATION, format!("{path}{query}"))).finish())
}

/// The path without its empty parts, when it has any. It never begins with two slashes, which would name
/// another site, nor with a slash and a backslash, which browsers read as two slashes.
fn tidy(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let tidied = format!("/{}", parts.join("/"));
    (path.starts_with('/') && !path.contains('\\') && tidied != path).then_some(tidied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_too_many_lead_nowhere_else() {
        assert_eq!(tidy("/events/midnight-parade/").as_deref(), Some("/events/midnight-parade"));
        assert_eq!(tidy("//evil.example//x/").as_deref(), Some("/evil.example/x"));
        for path in ["/bookings", "/", "*", "", "/\\evil.example/", "\\/evil.example/", "//\\evil.example"] {
            assert_eq!(tidy(path), None, "{path}");
        }
    }
}
