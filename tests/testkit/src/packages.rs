//! The Debian packages that a test needs.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Installs what is missing, as `scripts/test` does for all tests: `"redis-server:redis-server"`, the command and its
/// package.
pub fn need(packages: &str) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let script = format!("set -e; source scripts/lib/packages.sh; need_packages {packages}");
    let output = Command::new("bash").args(["-c", &script]).output().expect("bash");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Debian keeps some programs where only root looks.
pub fn path() -> String {
    format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default())
}
