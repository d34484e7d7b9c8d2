//! Arbitrary text in place of request keys, tokens and slugs.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| testkit::properties::codes::holds(input));
