//! Static files, embedded in the binary. `build.rs` gives each a name that carries its content's hash,
//! so a browser may keep it for ever, and compresses it once.
//!
//! The handlers do not belong here: see [`pages`].

pub mod pages;

use actix_web::http::header::{ACCEPT_ENCODING, HeaderMap};
use askama::filters::Safe;

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
/// `tests/tidy/main.rs` keeps templates from naming one.
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
