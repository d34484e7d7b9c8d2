//! The .ics file of concerts with arbitrary names.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| testkit::properties::calendar::holds(input));
