//! The URL map of payments: the pages between a booking and the provider, what the provider tells, and the
//! organizer's pages about money.

use actix_web::web::{ServiceConfig, post};

use crate::payment;
use crate::resource::{get, urls};

/// What the organizer sees of money.
pub(super) fn organizers(site: &mut ServiceConfig) {
    use crate::admin::payments::{export, list, refund};
    let refunds = urls::ADMIN_REFUND.resource().route(get().to(refund::new));
    site.service(urls::ADMIN_PAYMENTS.resource().route(get().to(list::index)))
        .service(urls::EVENT_PAYMENTS.resource().route(get().to(list::show)))
        .service(urls::PAYMENTS_CSV.resource().route(get().to(export::csv)))
        .service(urls::PAYMENTS_WORKBOOK.resource().route(get().to(export::xlsx)))
        .service(refunds.route(post().to(refund::create)));
}

/// For buyers and the provider.
pub(super) fn configure(site: &mut ServiceConfig) {
    site.service(
        urls::PAYMENT
            .resource()
            .route(get().to(payment::held_page::show))
            .route(post().to(payment::pages::create)),
    )
    .service(urls::RECEIPT.resource().route(get().to(payment::receipt::show)))
    .service(urls::EXTENSION.resource().route(post().to(payment::pages::extend)))
    .service(urls::RELEASE.resource().route(post().to(payment::pages::release)))
    .service(urls::WEBHOOK.resource().route(post().to(payment::webhook::receive)));
}
