//! What a machine does to a server: its disk is full, its descriptors are used up, its clock jumps. Buyers are
//! told to try again, nothing that was confirmed is lost, and the server goes on by itself afterward.

mod clock;
mod descriptors;
mod full_disk;

use std::thread;
use std::time::{Duration, Instant};

/// Waits until something is so, for at most twenty seconds.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}
