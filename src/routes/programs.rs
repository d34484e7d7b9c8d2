//! The URL map of the API.

use actix_web::web::{ServiceConfig, delete, patch, post, put};

use crate::api;
use crate::resource::{get, urls};

/// The API. [`api::middleware`] turns its errors into JSON.
pub(super) fn configure(site: &mut ServiceConfig) {
    use api::v1::{bookings, event_acts, event_image, events, managed_events, managed_ticket_types};
    site.service(
        urls::API_EVENTS.resource().route(get().to(events::index)).route(post().to(managed_events::create)),
    )
    .service(
        urls::API_EVENT.resource().route(get().to(events::show)).route(patch().to(managed_events::update)),
    )
    .service(
        urls::API_PUBLICATION
            .resource()
            .route(post().to(event_acts::publish))
            .route(delete().to(event_acts::withdraw)),
    )
    .service(
        urls::API_PAUSE.resource().route(post().to(event_acts::pause)).route(delete().to(event_acts::resume)),
    )
    .service(
        urls::API_IMAGE
            .resource()
            .route(put().to(event_image::update))
            .route(delete().to(event_image::destroy)),
    )
    .service(
        urls::API_ARCHIVE
            .resource()
            .route(post().to(event_acts::archive))
            .route(delete().to(event_acts::restore)),
    )
    .service(
        urls::API_TICKET_TYPES
            .resource()
            .route(get().to(events::ticket_types))
            .route(post().to(managed_ticket_types::create)),
    )
    .service(
        urls::API_TICKET_TYPE
            .resource()
            .route(get().to(managed_ticket_types::show))
            .route(patch().to(managed_ticket_types::update)),
    )
    .service(urls::API_AVAILABILITY.resource().route(get().to(events::availability)))
    .service(urls::API_BOOKINGS.resource().route(post().to(bookings::create)))
    .service(urls::API_BOOKING.resource().route(get().to(bookings::show)))
    .service(urls::API_CANCELLATION.resource().route(post().to(bookings::cancel)))
    .service(urls::OPENAPI.resource().route(get().to(api::openapi::show)))
    .service(urls::API_DOCS.resource().route(get().to(api::docs::show)))
    // The compat API
    .service(urls::COMPAT_TICKETS.resource().route(get().to(api::compat::pages::index)))
    .service(urls::COMPAT_BOOKINGS.resource().route(post().to(api::compat::pages::create)));
}
