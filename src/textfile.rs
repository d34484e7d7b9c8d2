//! What commands that a timer starts tell Prometheus: a small file in its text format, which node_exporter's
//! textfile collector reads. They have ended before anybody could ask them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chrono::Utc;

use crate::start_error::StartError;

/// One figure: its name, what it is, and its value.
pub type Figure<'a> = (&'a str, &'a str, f64);

/// Now, as Prometheus writes times.
#[must_use]
pub fn now_seconds() -> f64 {
    Utc::now().timestamp() as f64
}

/// Puts the figures in place of what the file held, all at once: the collector reads whenever it likes.
///
/// # Errors
/// One line that names the file.
pub fn write(path: &Path, figures: &[Figure<'_>]) -> Result<(), StartError> {
    let mut text = String::new();
    for (name, help, value) in figures {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let written = fs::write(&part, text).and_then(|()| {
        // The collector is another user, and there is nobody's name in it.
        #[cfg(unix)]
        fs::set_permissions(&part, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        fs::rename(&part, path)
    });
    written.map_err(|e| StartError::new(format!("{} cannot be written: {e}", path.display())))
}
