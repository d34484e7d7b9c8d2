//! What must hold of anything that the outside sends, each as a function of bytes. The fuzz targets call
//! them with random inputs, `tests/corpus` with the inputs that are kept.

pub mod calendar;
pub mod client_address;
pub mod codes;
pub mod cookies;
pub mod export;
pub mod form;
mod samples;

use std::borrow::Cow;
use std::sync::LazyLock;

use techkraft::booking::new_token;
use techkraft::booking::request_key::RequestKeys;

/// The secret that signs everything here.
const SECRET: &str = "a secret that only the properties sign with";

/// Keys that sign nothing here: what is signed passes through comparisons, and a fuzzer reads along there.
fn never_used() -> RequestKeys {
    static SECRET: LazyLock<String> = LazyLock::new(new_token);
    RequestKeys::new(&SECRET.as_str().into())
}

/// No text has this byte in it, so it may stand between texts.
const SEPARATOR: u8 = 0xff;

/// An input as so many texts; those that are missing are empty.
fn texts<const COUNT: usize>(input: &[u8]) -> [Cow<'_, str>; COUNT] {
    let mut parts = input.splitn(COUNT, |&byte| byte == SEPARATOR);
    std::array::from_fn(|_| String::from_utf8_lossy(parts.next().unwrap_or_default()))
}
