//! A shell that stops the programs that it started when the test process ends, even if it is killed.

use std::path::Path;
use std::process::{Command, Stdio};

/// A shell that runs `script` with `folder` as `$0`. The script must read its standard input to the end, which comes
/// when this process ends, and then stop what it started. The shell is in a process group of its own, so that Ctrl-C
/// in the terminal does not end it too early.
pub fn shell(script: &str, folder: &Path) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script])
        .arg(folder)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    shell
}
