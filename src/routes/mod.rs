//! The URL map: most pages are here, accounts in [`accounts`], money in [`payments`], waiting rooms in
//! [`waiting_rooms`], and the API in [`programs`]. The URLs of monitoring are in `ops::pages`.
//!
//! Handlers do not belong here: they are in the features, in `admin` and in `api`.

mod accounts;
mod payments;
mod programs;
mod waiting_rooms;

use actix_web::http::header::LOCATION;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, PathConfig, PayloadConfig, ServiceConfig, post, to};
use actix_web::{HttpRequest, HttpResponse};

use crate::admin::resumption::keep_typed;
use crate::auth::reauthentication::carry_renewed_session;
use crate::error::Error;
use crate::resource::{BODY_BYTES_MAX, get, urls};
use crate::{admin, assets, booking, events, mail, queue, tickets};

/// Which handler answers which URL. Patterns are tried in this order.
pub fn configure(site: &mut ServiceConfig) {
    site.app_data(PayloadConfig::new(BODY_BYTES_MAX))
        .app_data(PathConfig::default().error_handler(|_, _| Error::NotFound.into()))
        // First the requests that a crowd sends all the time. Their responses are compressed already, or too
        // short for it.
        .service(urls::AVAILABILITY.resource().route(get().to(events::pages::availability)))
        .service(urls::QUEUE_LINE.resource().route(get().to(queue::pages::line)))
        .service(urls::STATIC_FILE.resource().route(get().to(assets::pages::show)))
        .service(urls::PICTURE.resource().route(get().to(events::pictures::pages::show)))
        .service(urls::FAVICON.resource().route(get().to(assets::pages::favicon)))
        .service(urls::ROBOTS.resource().route(get().to(events::search_engines::robots)))
        .service(urls::SERVICE_WORKER.resource().route(get().to(assets::pages::service_worker)))
        .service(urls::EVENT_PREVIEW.resource().route(get().to(events::preview::pages::show)))
        .service(
            web::scope("")
                .wrap(from_fn(carry_renewed_session))
                .wrap(Compress::default())
                .configure(buyers)
                .configure(programs::configure)
                .configure(pages),
        );
}

/// The pages of a rush, and what buyers do with their bookings. They come before everything else, because
/// trying patterns that do not match takes time.
fn buyers(site: &mut ServiceConfig) {
    site.service(
        urls::BOOKINGS
            .resource()
            .route(get().to(booking::lookup::pages::index))
            .route(post().to(booking::pages::create)),
    )
    .service(
        urls::NEW_BOOKING
            .resource()
            .route(get().to(booking::pages::new))
            .route(post().to(booking::pages::revise)),
    )
    .service(
        urls::FIND_BOOKINGS
            .resource()
            .route(get().to(booking::lookup::pages::new))
            .route(post().to(booking::lookup::pages::create)),
    )
    .service(urls::EVENTS.resource().route(get().to(events::pages::index)))
    .service(urls::EVENT.resource().route(get().to(events::pages::show)))
    .service(urls::BOOKING.resource().route(get().to(booking::pages::show)))
    .service(urls::CALENDAR.resource().route(get().to(booking::pages::calendar)))
    .service(
        urls::CANCELLATION
            .resource()
            .route(get().to(booking::cancellation::pages::new))
            .route(post().to(booking::cancellation::pages::create)),
    )
    .service(
        urls::BUYER
            .resource()
            .route(get().to(booking::correction::pages::edit))
            .route(post().to(booking::correction::pages::update)),
    )
    .service(urls::BUYER_EMAIL.resource().route(post().to(booking::correction::pages::check_email)))
    .service(urls::TICKET.resource().route(get().to(tickets::shared::show)))
    .service(urls::TICKET_CALENDAR.resource().route(get().to(tickets::shared::calendar)))
    .service(urls::UNDO.resource().route(post().to(booking::cancellation::pages::undo)))
    .service(urls::FORGET_BUYER.resource().route(post().to(booking::forgetting::forget_buyer)))
    .service(
        urls::EMAILS
            .resource()
            .route(get().to(mail::suppression::pages::show))
            .route(post().to(mail::suppression::pages::update)),
    );
}

fn pages(site: &mut ServiceConfig) {
    // For browsers and search engines
    site.service(urls::SITEMAP.resource().route(get().to(events::search_engines::sitemap)))
        .service(urls::WEB_MANIFEST.resource().route(get().to(assets::pages::web_manifest)))
        .service(urls::EVENT_CALENDAR.resource().route(get().to(events::calendar::show)));
    payments::configure(site);
    waiting_rooms::visitors(site);
    gates(site);
    check_in(site);
    organizers(site);
    site.default_service(to(elsewhere));
}

/// The gate of staff who have signed in.
fn check_in(site: &mut ServiceConfig) {
    use tickets::pages::organizer;
    site.service(
        urls::CHECK_IN
            .resource()
            .route(get().to(organizer::show))
            .route(post().to(organizer::create))
            .wrap(from_fn(keep_typed)),
    )
    .service(
        urls::CHECK_IN_GATE
            .resource()
            .route(get().to(organizer::edit_gate))
            .route(post().to(organizer::update_gate))
            .wrap(from_fn(keep_typed)),
    )
    .service(urls::CHECK_IN_TURNOUT.resource().route(get().to(organizer::attendance)))
    .service(urls::CHECK_IN_ADMISSIONS.resource().route(post().to(organizer::admit_by_hand)))
    .service(urls::CHECK_IN_REVOCATION.resource().route(post().to(organizer::revoke)));
}

/// The gates that have a link, and the organizer's list of them.
fn gates(site: &mut ServiceConfig) {
    use tickets::pages::link;
    site.service(urls::GATE_LINK.resource().route(get().to(link::show)).route(post().to(link::create)))
        .service(urls::GATE_LINK_TURNOUT.resource().route(get().to(link::attendance)))
        .service(urls::GATE_LINK_ADMISSIONS.resource().route(post().to(link::admit_by_hand)))
        .service(urls::GATE_LINK_REVOCATION.resource().route(post().to(link::revoke)))
        .service(
            urls::GATES
                .resource()
                .route(get().to(admin::gates::index))
                .route(post().to(admin::gates::create)),
        )
        .service(urls::GATE_REVOCATION.resource().route(post().to(admin::gates::revoke)));
}

/// The organizer's pages. A form that asks for no password keeps what was typed while the session ended:
/// [`keep_typed`] wraps its URL, and the handler of its post takes `Resumed`.
fn organizers(site: &mut ServiceConfig) {
    site.service(urls::ADMIN.resource().route(get().to(admin::pages::show)))
        .service(urls::SALES.resource().route(get().to(admin::pages::sales)))
        .configure(accounts::configure)
        .service(
            urls::TOKENS
                .resource()
                .route(get().to(admin::tokens::index))
                .route(post().to(admin::tokens::create)),
        )
        .service(urls::TOKEN_REVOCATION.resource().route(post().to(admin::tokens::revoke)))
        .service(urls::AUDIT_LOG.resource().route(get().to(admin::audit_log::index)))
        .service(urls::MAILS.resource().route(get().to(mail::pages::index)))
        .service(urls::MAIL_ATTEMPTS.resource().route(post().to(mail::pages::create_attempts)))
        .service(urls::MAIL_ATTEMPT.resource().route(post().to(mail::pages::create_attempt)))
        .service(
            urls::RESEED
                .resource()
                .route(get().to(admin::reseed::new))
                .route(post().to(admin::reseed::create)),
        )
        .service(urls::ADMIN_BOOKINGS.resource().route(get().to(admin::booking_list::index)))
        .service(urls::ADMIN_BOOKING.resource().route(get().to(admin::bookings::show)))
        .service(
            urls::ADMIN_CANCELLATION
                .resource()
                .route(get().to(admin::cancellation::new))
                .route(post().to(admin::cancellation::create))
                .wrap(from_fn(keep_typed)),
        )
        .service(
            urls::ADMIN_BUYER
                .resource()
                .route(get().to(admin::correction::edit))
                .route(post().to(admin::correction::update))
                .wrap(from_fn(keep_typed)),
        )
        .configure(payments::organizers)
        .configure(concerts)
        .service(urls::NEW_EXPORT.resource().route(get().to(admin::export::new)))
        .service(urls::EXPORT.resource().route(get().to(admin::export::csv)))
        .service(urls::EXPORT_WORKBOOK.resource().route(get().to(admin::export::xlsx)))
        .service(
            urls::TERMS
                .resource()
                .route(get().to(admin::terms::edit))
                .route(post().to(admin::terms::update))
                .wrap(from_fn(keep_typed)),
        );
}

/// The organizer's concerts.
fn concerts(site: &mut ServiceConfig) {
    use admin::events::{acts, cancellation, edit, index, messages, new, postponement, show, ticket_types};
    site.service(
        urls::ADMIN_EVENTS
            .resource()
            .route(get().to(index::index))
            .route(post().to(new::create))
            .wrap(from_fn(keep_typed)),
    )
    .service(
        urls::NEW_EVENT
            .resource()
            .route(get().to(new::new))
            .route(post().to(new::create))
            .wrap(from_fn(keep_typed)),
    )
    .service(urls::ADMIN_EVENT.resource().route(get().to(show::show)))
    .service(
        urls::EDIT_EVENT
            .resource()
            .route(get().to(edit::edit))
            .route(post().to(edit::update))
            .wrap(from_fn(keep_typed)),
    )
    .service(urls::ADMIN_EVENT_PREVIEW.resource().route(get().to(show::preview)))
    .service(urls::PUBLICATION.resource().route(post().to(acts::publish)))
    .service(urls::WITHDRAWAL.resource().route(post().to(acts::withdraw)))
    .service(urls::PAUSE.resource().route(post().to(acts::pause)))
    .service(urls::ARCHIVE.resource().route(post().to(acts::archive)))
    .service(
        urls::POSTPONEMENT
            .resource()
            .route(get().to(postponement::new))
            .route(post().to(postponement::create))
            .wrap(from_fn(keep_typed)),
    )
    .service(
        urls::EVENT_CANCELLATION
            .resource()
            .route(get().to(cancellation::new))
            .route(post().to(cancellation::create))
            .wrap(from_fn(keep_typed)),
    )
    .service(
        urls::HOLDER_MESSAGES
            .resource()
            .route(get().to(messages::index))
            .route(post().to(messages::create))
            .wrap(from_fn(keep_typed)),
    )
    .configure(waiting_rooms::organizers)
    .service(urls::EVENT_DASHBOARD.resource().route(get().to(show::dashboard)))
    .service(urls::EVENT_PROGRESS.resource().route(get().to(show::progress)))
    .service(
        urls::NEW_TICKET_TYPE
            .resource()
            .route(get().to(ticket_types::new))
            .route(post().to(ticket_types::create))
            .wrap(from_fn(keep_typed)),
    )
    .service(
        urls::EDIT_TICKET_TYPE
            .resource()
            .route(get().to(ticket_types::edit))
            .route(post().to(ticket_types::update))
            .wrap(from_fn(keep_typed)),
    )
    .service(urls::TICKET_TYPE_STATE.resource().route(post().to(ticket_types::set_state)))
    .service(urls::TICKET_TYPE_POSITION.resource().route(post().to(ticket_types::move_to)));
}

/// Redirects an address with extra slashes to the one without them. Every other address is not found.
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
