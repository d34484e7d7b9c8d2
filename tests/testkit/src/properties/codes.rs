//! Arbitrary text in place of a code: request keys, tokens, slugs.

use actix_web::http::Uri;
use techkraft::booking::request_key::RequestKeys;
use techkraft::booking::{is_token, new_reference, new_token};
use techkraft::events::is_slug;
use techkraft::resource::without_secrets;

use crate::properties::{SECRET, never_used, texts};

/// The input is a text in place of a code, and the texts before and after a token in a URL.
pub fn holds(input: &[u8]) {
    let [text, before, behind] = texts(input);
    is_no_key_of_ours(&text);
    an_altered_key_is_none(input);
    fits_its_place(&text);
    stays_out_of_the_log(&before, &behind);
}

fn is_no_key_of_ours(text: &str) {
    let (keys, others) = (RequestKeys::new(&SECRET.into()), RequestKeys::new(&"another secret".into()));
    assert!(never_used().verify(text).is_none(), "forged: {text:?}");
    let key = keys.generate();
    assert_eq!(keys.verify(key.as_str()).as_ref(), Some(&key));
    assert!(others.verify(key.as_str()).is_none(), "another site's key");
}

/// A request key with characters changed, cut off or added is invalid.
fn an_altered_key_is_none(input: &[u8]) {
    let keys = RequestKeys::new(&SECRET.into());
    let key = keys.generate();
    let mut altered = key.as_str().as_bytes().to_vec();
    for change in input.chunks_exact(2) {
        let place = usize::from(change[0]);
        match altered.get_mut(place) {
            Some(byte) => *byte = change[1],
            None if place % 2 == 0 => altered.push(change[1]),
            None => drop(altered.pop()),
        }
    }
    let altered = String::from_utf8_lossy(&altered);
    if altered != key.as_str() {
        assert!(keys.verify(&altered).is_none(), "{key:?} altered to {altered:?}");
    }
}

/// A valid token or slug needs no escaping in a path, a header or a file name.
fn fits_its_place(text: &str) {
    for (passes, path) in [(is_token(text), format!("/bookings/{text}")), (is_slug(text), format!("/{text}"))]
    {
        if passes {
            let uri: Uri = path.parse().expect("it fits into a path");
            assert_eq!((uri.path(), uri.query()), (path.as_str(), None));
            assert!(!text.contains(['.', '/', '\\', '"', '\'', '\0', '\r', '\n']), "{text:?}");
        }
    }
    assert!(is_token(&new_token()));
    let reference = new_reference();
    assert_eq!(reference.len(), 12);
    assert!(reference.bytes().all(|b| b == b'-' || b.is_ascii_uppercase() || b.is_ascii_digit()));
}

/// A token in its place in a path never reaches the log, regardless of the text around it; and no path adds lines to
/// the log.
fn stays_out_of_the_log(before: &str, behind: &str) {
    let token = new_token();
    let path = format!("{before}{token}{behind}");
    let logged = without_secrets(&path);
    assert!(!logged.chars().any(char::is_control), "{path:?} is logged as {logged:?}");
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    if parts.next() == Some("bookings") && parts.next().is_some_and(|part| part.contains(&token)) {
        assert!(!logged.contains(&token), "{path:?} is logged as {logged:?}");
    }
}
