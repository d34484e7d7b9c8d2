//! Metrics of commands that a timer runs. They end before Prometheus could scrape them, so they write a small file
//! that node_exporter's textfile collector reads.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chrono::Utc;

use crate::start_error::StartError;

/// A metric: name, help, value.
pub type Metric<'a> = (&'a str, &'a str, f64);

/// The current Unix time, as Prometheus writes it.
#[must_use]
pub fn now_seconds() -> f64 {
    Utc::now().timestamp() as f64
}

/// Replaces the file in one step: the collector may read at any time.
///
/// # Errors
/// One line that names the file.
pub fn write(path: &Path, metrics: &[Metric<'_>]) -> Result<(), StartError> {
    let mut text = String::new();
    for (name, help, value) in metrics {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let written = fs::write(&part, text).and_then(|()| {
        // The collector runs as another user; the file holds no personal data.
        #[cfg(unix)]
        fs::set_permissions(&part, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        fs::rename(&part, path)
    });
    written.map_err(|e| StartError::new(format!("{} cannot be written: {e}", path.display())))
}
