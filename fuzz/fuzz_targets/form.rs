//! Arbitrary input in the checkout's form.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| testkit::properties::form::holds(input));
