//! The URL map of waiting rooms and rehearsals. The line, which everybody who waits polls, is in [`super`]
//! with the other polls.

use actix_web::middleware::from_fn;
use actix_web::web::{ServiceConfig, post};

use crate::admin::events::{rehearsal, waiting_room};
use crate::admin::resumption::keep_typed;
use crate::queue::{pages, place_link, registration};
use crate::resource::{get, urls};

/// The pages of people who wait.
pub(super) fn visitors(site: &mut ServiceConfig) {
    site.service(urls::QUEUE.resource().route(get().to(pages::show)).route(post().to(pages::create)))
        .service(
            urls::QUEUE_PLACE
                .resource()
                .route(get().to(place_link::show))
                .route(post().to(place_link::create)),
        )
        .service(urls::QUEUE_REGISTRATION.resource().route(post().to(registration::create)))
        .service(urls::QUEUE_DRAW.resource().route(get().to(pages::draw)));
}

/// For the organizer.
pub(super) fn organizers(site: &mut ServiceConfig) {
    site.service(
        urls::WAITING_ROOM
            .resource()
            .route(get().to(waiting_room::edit))
            .route(post().to(waiting_room::update))
            .wrap(from_fn(keep_typed)),
    )
    .service(urls::WAITING_ROOM_FIGURES.resource().route(get().to(waiting_room::figures)))
    .service(
        urls::REHEARSAL
            .resource()
            .route(get().to(rehearsal::show))
            .route(post().to(rehearsal::create))
            .wrap(from_fn(keep_typed)),
    )
    .service(urls::REHEARSAL_STATE.resource().route(get().to(rehearsal::state)))
    .service(urls::REHEARSAL_STOP.resource().route(post().to(rehearsal::stop)))
    .service(urls::WAITING_ROOM_FLOW.resource().route(post().to(waiting_room::set_flow)));
}
