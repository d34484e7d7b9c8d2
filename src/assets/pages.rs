//! The handlers of the static files.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, LOCATION, VARY};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::{ASSETS, accepts, url};
use crate::error::Error;

/// `GET /static/{name}`: the file in the best encoding that the browser reads, to be kept for a year.
pub async fn show(request: HttpRequest, name: web::Path<String>) -> Result<HttpResponse, Error> {
    let asset = ASSETS.iter().find(|asset| asset.name == name.as_str()).ok_or(Error::NotFound)?;
    let (encoding, body) = match (asset.brotli, asset.gzip) {
        (Some(body), _) if accepts(request.headers(), "br") => ("br", body),
        (_, Some(body)) if accepts(request.headers(), "gzip") => ("gzip", body),
        _ => ("identity", asset.identity),
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, content_type(asset.path)))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((VARY, "accept-encoding"));
    // Always named, so that the middleware that compresses pages leaves these bytes alone.
    response.insert_header((CONTENT_ENCODING, encoding));
    Ok(response.body(body))
}

/// For files without a hash in their name: a new release shows within an hour.
const FOR_AN_HOUR: (HeaderName, &str) = (CACHE_CONTROL, "public, max-age=3600");

/// `GET /favicon.ico`, for browsers and bots that ask before they read the page.
pub async fn favicon() -> HttpResponse {
    HttpResponse::MovedPermanently()
        .insert_header((LOCATION, url("icons/icon-192.png")))
        .insert_header(FOR_AN_HOUR)
        .finish()
}

/// `GET /offline.js`: the service worker of tickets. It has a name without a hash, at the root, because its name says
/// which pages it may serve. Browsers ask for it again with every visit, so that each release replaces it.
pub async fn service_worker() -> Result<HttpResponse, Error> {
    let asset = ASSETS.iter().find(|asset| asset.path == "js/offline.js").ok_or(Error::NotFound)?;
    Ok(HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((CACHE_CONTROL, "public, no-cache"))
        .insert_header((CONTENT_ENCODING, "identity"))
        .body(asset.identity))
}

/// `GET /site.webmanifest`: how the site looks on a home screen.
pub async fn web_manifest() -> HttpResponse {
    let icon = |path: &str, size: u32, purpose: &str| json!({ "src": url(path), "sizes": format!("{size}x{size}"), "type": "image/png", "purpose": purpose });
    let manifest = json!({
        "id": "/",
        "name": "TechKraft Tickets",
        "short_name": "Tickets",
        "description": "Concert tickets with live availability.",
        "lang": "en",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "theme_color": "#12082b",
        "background_color": "#12082b",
        "icons": [
            icon("icons/icon-192.png", 192, "any"),
            icon("icons/icon-512.png", 512, "any"),
            icon("icons/icon-maskable-512.png", 512, "maskable"),
        ],
    });
    HttpResponse::Ok()
        .content_type("application/manifest+json")
        .insert_header(FOR_AN_HOUR)
        .body(manifest.to_string())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}
