//! The Debian packages that a test needs.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Installs missing packages, as `scripts/test` does for all tests. `packages`: commands and their packages, such as
/// `"redis-server:redis-server"`.
pub fn need(packages: &str) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let script = format!("set -e; source scripts/lib/packages.sh; need_packages {packages}");
    let output = Command::new("bash").args(["-c", &script]).output().expect("bash");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A PATH that includes `/usr/sbin`: Debian keeps some programs there, where only root's PATH looks.
pub fn path() -> String {
    format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default())
}
