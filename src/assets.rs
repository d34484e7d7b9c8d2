//! Static files, embedded in the binary. `build.rs` gives each a name that carries its content's hash,
//! so a browser may keep it for ever, and compresses it once.

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::filters::Safe;
use serde_json::json;

use crate::error::Error;

struct Asset {
    /// The file's path in `static/`, as templates name it.
    path: &'static str,
    /// The path with the content's hash, as browsers request it.
    name: &'static str,
    identity: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The URL of a file of `static/`, with its content's hash. An unknown path gives a URL that answers 404;
/// `tests/tidy.rs` keeps templates from naming one.
#[must_use]
pub fn url(path: &str) -> String {
    let name = ASSETS.iter().find(|asset| asset.path == path).map_or(path, |asset| asset.name);
    format!("/static/{name}")
}

/// An icon in the color and at the size of the words beside it. Screen readers pass it over.
#[must_use]
pub fn icon(name: &'static str) -> Safe<String> {
    icon_with(name, "icon")
}

/// As [`icon`], with classes of its own. Both are written by us: nothing here is escaped.
#[must_use]
pub fn icon_with(name: &'static str, classes: &'static str) -> Safe<String> {
    let file = url("icons.svg");
    Safe(format!("<svg class=\"{classes}\" aria-hidden=\"true\"><use href=\"{file}#{name}\"/></svg>"))
}

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

/// Whether the client says that it reads this coding (RFC 9110, section 12.5.3).
#[must_use]
pub fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|offer| {
        let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case(coding) && weight.is_ok_and(|weight| weight > 0.0)
    })
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

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn a_refused_coding_is_not_used() {
        let accepts = |accepted: &'static str, coding| {
            accepts(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accepted))]), coding)
        };
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("br;q=0, gzip;q=0.5", "gzip") && !accepts("br;q=0, gzip;q=0.5", "br"));
        assert!(!accepts("br;q=0.0", "br") && !accepts("", "gzip"));
    }
}
