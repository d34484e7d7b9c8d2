//! Signals to the processes that tests start.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::wait::eventually;

/// Sends a process a signal, such as "-KILL". After "-STOP" it has stopped.
pub fn signal(id: &str, name: &str) {
    assert!(Command::new("kill").args([name, id]).status().expect("kill runs").success());
    if name == "-STOP" {
        until_stopped(id);
    }
}

/// Waits until each thread of a process has stopped. `kill` does not wait: on a busy machine the threads run on until
/// one of them is given the processor to receive the signal.
pub fn until_stopped(id: &str) {
    eventually("it has stopped", || {
        let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
        threads.map(|thread| thread.path()).all(|thread| is_stopped(&thread))
    });
}

fn is_stopped(thread: &Path) -> bool {
    let stat = fs::read_to_string(thread.join("stat")).unwrap_or_default();
    // The state follows the name, which may contain anything. A thread that is gone has no state.
    stat.rsplit(") ").next().is_none_or(|state| state.is_empty() || state.starts_with('T'))
}
