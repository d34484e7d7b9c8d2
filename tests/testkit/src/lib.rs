//! Code that the tests and the benchmarks share: databases, servers, buyers, and other programs.
//!
//! Assertions about the product do not belong here, except those at the end of every test.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

pub mod bench;
pub mod blockade;
pub mod cluster;
pub mod database;
pub mod guard;
pub mod line_log;
pub mod long;
pub mod outbox;
pub mod packages;
pub mod previous_release;
pub mod process;
pub mod properties;
pub mod rush;
pub mod server;
pub mod small_disk;
mod smtp_script;
pub mod smtp_server;
pub mod standby;
pub mod stripe;
pub mod template;
pub mod visitor;
pub mod wait;

/// The `techkraft` binary that Cargo built together with the running test or benchmark.
#[must_use]
pub fn binary() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| profile().join("techkraft"));
    &BINARY
}

/// Cargo's target folder.
#[must_use]
pub fn target() -> &'static Path {
    profile().parent().expect("the profile's folder stands in the target folder")
}

/// `target/debug` or `target/release`: tests and benchmarks are in its folder `deps`.
fn profile() -> &'static Path {
    static PROFILE: LazyLock<PathBuf> = LazyLock::new(|| {
        let test = std::env::current_exe().expect("a test knows where it is");
        test.ancestors().nth(2).expect("a test stands in `deps`").to_owned()
    });
    &PROFILE
}
