#![no_main]

#[path = "../properties/mod.rs"]
#[allow(dead_code, reason = "each target holds one of them")]
mod properties;

libfuzzer_sys::fuzz_target!(|input: &[u8]| properties::export::holds(input));
