//! How many cases and rounds a test runs: some in `scripts/test`, all in `scripts/test --all`, which sets
//! `LONG_TESTS`.

use std::env;

/// How many cases of a table run in `scripts/test`.
const SOME: usize = 3;
/// `scripts/test` runs one of this many rounds, which is enough while one works on a change.
const PART: u32 = 5;

fn is_long() -> bool {
    env::var_os("LONG_TESTS").is_some()
}

/// All cases of a table, or a few that are spread over it.
#[must_use]
pub fn some<T>(cases: &[T]) -> Vec<&T> {
    let step = if is_long() { 1 } else { cases.len().div_ceil(SOME) };
    cases.iter().step_by(step).collect()
}

/// This many rounds of a race or cases of a property, or a part of them.
#[must_use]
pub fn rounds(all: u32) -> u32 {
    if is_long() { all } else { all.div_ceil(PART) }
}
