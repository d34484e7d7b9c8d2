//! The CSV file of bookings with arbitrary names.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| testkit::properties::export::holds(input));
