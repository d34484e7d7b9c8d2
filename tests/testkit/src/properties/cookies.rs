//! The raw Cookie header: only cookies that were sealed here open, and only under the name that they were sealed for.

use actix_web::http::header::{COOKIE, HeaderValue};
use actix_web::test::TestRequest;
use techkraft::guard::cookies::Cookies;

use crate::properties::SECRET;

const NAMES: [&str; 3] = ["buyer", "toast", "session"];
/// Stands for a cookie that was sealed for the first of the names.
const SEALED: &[u8] = b"SEALED";
const VALUE: &str = "+{\"name\":\"Ada\",\"email\":\"ada@example.org\"}";

/// The input is the header's value.
pub fn holds(input: &[u8]) {
    for is_https in [false, true] {
        let cookies = Cookies::new(&SECRET.into(), is_https);
        let sealed = cookies.sealed(NAMES[0], VALUE).finish();
        let header = replaced(input, SEALED, sealed.value().as_bytes());
        let Ok(header) = HeaderValue::from_bytes(&header) else { return };
        let request = TestRequest::default().insert_header((COOKIE, header)).to_http_request();
        for name in NAMES {
            let Some(opened) = cookies.open(&request, name) else { continue };
            assert_eq!((name, opened.as_str()), (NAMES[0], VALUE), "from {input:?}");
            assert!(input.windows(SEALED.len()).any(|it| it == SEALED), "forged: {input:?}");
        }
    }
}

fn replaced(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(old.len()).position(|it| it == old) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(new);
        rest = &rest[at + old.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}
