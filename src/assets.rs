//! Static files, embedded in the binary. `build.rs` gives each a name that carries its content's hash,
//! so a browser may keep it for ever, and compresses it once.

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::error::Error;

struct Asset {
    /// Where the file stands in `static/`: what templates say.
    path: &'static str,
    /// The same with the content's hash: what browsers ask for.
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

/// `GET /static/{name}`: the file in the best encoding that the browser reads, to be kept for a year.
pub async fn show(request: HttpRequest, name: web::Path<String>) -> Result<HttpResponse, Error> {
    let asset = ASSETS.iter().find(|asset| asset.name == name.as_str()).ok_or(Error::NotFound)?;
    let accepted = request.headers().get(ACCEPT_ENCODING);
    let (encoding, body) = best_encoding(asset, accepted);
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, content_type(asset.path)))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((VARY, "accept-encoding"));
    // Always named, so that the middleware that compresses pages leaves these bytes alone.
    response.insert_header((CONTENT_ENCODING, encoding));
    Ok(response.body(body))
}

/// `GET /favicon.ico`, for browsers and bots that ask before they read the page.
pub async fn favicon() -> HttpResponse {
    HttpResponse::MovedPermanently().insert_header(("location", url("favicon.svg"))).finish()
}

/// `GET /robots.txt`: concerts may be indexed, a buyer's booking never.
pub async fn robots() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("User-agent: *\nDisallow: /bookings\nDisallow: /admin\n")
}

fn best_encoding(asset: &Asset, accepted: Option<&HeaderValue>) -> (&'static str, &'static [u8]) {
    let accepts = |wanted: &str| {
        accepted.and_then(|value| value.to_str().ok()).is_some_and(|value| {
            value.split(',').any(|offer| {
                let (coding, weight) = offer.split_once(';').unwrap_or((offer, ""));
                coding.trim().eq_ignore_ascii_case(wanted) && !weight.trim().starts_with("q=0")
            })
        })
    };
    match (asset.brotli, asset.gzip) {
        (Some(body), _) if accepts("br") => ("br", body),
        (_, Some(body)) if accepts("gzip") => ("gzip", body),
        _ => ("identity", asset.identity),
    }
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
    use super::*;

    #[test]
    fn a_refused_coding_is_not_used() {
        let asset =
            ASSETS.iter().find(|asset| asset.path == "css/app.css").expect("the site has a stylesheet");
        let header = HeaderValue::from_static("br;q=0, gzip");
        assert_eq!(best_encoding(asset, Some(&header)).0, "gzip");
        assert_eq!(best_encoding(asset, None).0, "identity");
    }
}
