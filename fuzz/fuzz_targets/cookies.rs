//! Arbitrary Cookie headers.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| testkit::properties::cookies::holds(input));
