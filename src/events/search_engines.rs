//! `/robots.txt`, `/sitemap.xml`: what search engines may list, and where it is.

use std::fmt::Write as _;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING};
use actix_web::{HttpResponse, web};
use chrono::{DateTime, SecondsFormat};

use super::board::Listing;
use crate::app::App;

/// Caches may keep both files for an hour.
const FOR_AN_HOUR: (actix_web::http::header::HeaderName, &str) = (CACHE_CONTROL, "public, max-age=3600");

/// The most concerts in the sitemap. The protocol allows 50,000 addresses; the rest is room for our own
/// pages.
const CONCERTS_MAX: usize = 49_000;

/// The smallest version that is a time. Versions are times in milliseconds, except the first one of the seed's rows.
const FIRST_TIME_MS: i64 = 1_000_000_000_000;

/// `GET /robots.txt`: concerts may be indexed, a buyer's booking never.
pub async fn robots(app: web::Data<App>) -> HttpResponse {
    let body = format!(
        "User-agent: *\nDisallow: /bookings\nDisallow: /tickets/\nDisallow: /gates/\nDisallow: /admin\n\nSitemap: {}/sitemap.xml\n",
        app.public_url
    );
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header(FOR_AN_HOUR)
        // So short a text would be longer when compressed.
        .insert_header((CONTENT_ENCODING, "identity"))
        .body(body)
}

/// `GET /sitemap.xml`: every page that may be found by a search, with the time of its last change.
pub async fn sitemap(app: web::Data<App>) -> HttpResponse {
    let site = &app.public_url;
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.push_str("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    for path in ["/", "/api/docs"] {
        // Writing to a String cannot fail.
        let _ = writeln!(xml, "<url><loc>{site}{path}</loc></url>");
    }
    let listings = app.board.listings();
    for listing in listings.iter().filter(|listing| listing.event.listed).take(CONCERTS_MAX) {
        // A slug and an address of a site have nothing that XML escapes.
        let changed = last_change(listing).map(|at| format!("<lastmod>{at}</lastmod>")).unwrap_or_default();
        let _ = writeln!(xml, "<url><loc>{site}/events/{}</loc>{changed}</url>", listing.event.slug);
    }
    xml.push_str("</urlset>\n");
    HttpResponse::Ok().content_type("application/xml; charset=utf-8").insert_header(FOR_AN_HOUR).body(xml)
}

/// When a fact of the concert or of its ticket types changed last; stock does not count.
fn last_change(listing: &Listing) -> Option<String> {
    let versions = listing.ticket_types.iter().map(|ticket_type| ticket_type.facts_version);
    let latest = versions.chain([listing.event.facts_version]).max().filter(|it| *it >= FIRST_TIME_MS)?;
    let at = DateTime::from_timestamp_millis(latest)?;
    Some(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}
