//! How much a test repeats: some of it in `scripts/test`, all of it in `scripts/test --all`, which sets `LONG_TESTS`.

use std::env;

/// Of a table of cases that are tried one after the other.
const SOME: usize = 3;
/// The part of rounds that is enough for a change that is tried again and again.
const PART: u32 = 5;

fn is_long() -> bool {
    env::var_os("LONG_TESTS").is_some()
}

/// The cases of a table, or a few of them from all its parts.
#[must_use]
pub fn some<T>(cases: &[T]) -> Vec<&T> {
    let step = if is_long() { 1 } else { cases.len().div_ceil(SOME) };
    cases.iter().step_by(step).collect()
}

/// So many rounds of a race or cases of a property, or a part of them.
#[must_use]
pub fn rounds(all: u32) -> u32 {
    if is_long() { all } else { all.div_ceil(PART) }
}
