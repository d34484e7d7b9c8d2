//! Checks the files in `deploy/` and `docs/runbooks` with the programs that use them: systemd checks the units,
//! Prometheus the alerts, and our own program the metrics and flags that these files name.

mod alerts;
mod metrics;
mod placeholders;
mod systemd;

mod own_postgres {
    mod roles;
}

use std::fs;
use std::path::Path;
use std::process::Command;

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The names of those files in a folder that have this ending, without the ending.
fn stems(folder: &str, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{folder}: {e}")).flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut stems: Vec<String> = names.filter_map(|it| it.strip_suffix(ending).map(str::to_owned)).collect();
    stems.sort();
    assert!(!stems.is_empty(), "nothing in {folder} ends in {ending}");
    stems
}

/// Runs a program and returns what it printed. The program must succeed.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}; see scripts/test"));
    let said = [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).concat();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}
