//! Properties that must hold for all input from outside, each as a function of bytes. The fuzz targets call them with
//! random inputs, `tests/corpus` with stored inputs.

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

/// Keys that never sign anything: a fuzzer sees the values in comparisons, and so could learn a valid signature.
fn never_used() -> RequestKeys {
    static SECRET: LazyLock<String> = LazyLock::new(new_token);
    RequestKeys::new(&SECRET.as_str().into())
}

/// No UTF-8 text contains this byte, so it can separate texts.
const SEPARATOR: u8 = 0xff;

/// Splits an input into texts; missing ones are empty.
fn texts<const COUNT: usize>(input: &[u8]) -> [Cow<'_, str>; COUNT] {
    let mut parts = input.splitn(COUNT, |&byte| byte == SEPARATOR);
    std::array::from_fn(|_| String::from_utf8_lossy(parts.next().unwrap_or_default()))
}
