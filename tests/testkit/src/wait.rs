//! Waiting for a condition, instead of for a fixed time.

use std::thread;
use std::time::{Duration, Instant};

/// Long enough for everything that works, even on a machine that is very busy. A test that passes does not wait for it.
const LIMIT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until a condition holds.
pub fn eventually(what: &str, is_so: impl FnMut() -> bool) {
    within(LIMIT, what, is_so);
}

/// The same with this limit. Returns how long it took.
pub fn within(limit: Duration, what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < limit, "not within {limit:?}: {what}");
        thread::sleep(PAUSE);
    }
    println!("{:>6} ms: {what}", begun.elapsed().as_millis());
    begun.elapsed()
}
