//! Arbitrary X-Forwarded-For headers.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| testkit::properties::client_address::holds(input));
