//! A shell that ends what it started when the test process ends, even by a kill.

use std::path::Path;
use std::process::{Command, Stdio};

/// A shell that runs `script` with `folder` as `$0`. The script reads its standard input to the end, which comes when
/// this process has ended, and then stops what it started. It is in a process group of its own, so that Ctrl-C at the
/// terminal does not end it too early.
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
