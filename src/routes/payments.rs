//! The URLs of payments: the pages between a booking and the provider, and what the provider tells.

use actix_web::web::{ServiceConfig, post};

use crate::payment;
use crate::resource::{get, urls};

/// Which handler answers which URL.
pub(super) fn configure(site: &mut ServiceConfig) {
    site.service(
        urls::PAYMENT
            .resource()
            .route(get().to(payment::pages::show))
            .route(post().to(payment::pages::create)),
    )
    .service(urls::EXTENSION.resource().route(post().to(payment::pages::extend)))
    .service(urls::RELEASE.resource().route(post().to(payment::pages::release)))
    .service(urls::WEBHOOK.resource().route(post().to(payment::webhook::receive)));
}
