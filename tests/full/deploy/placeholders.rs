//! In `deploy/`, a value that the operator must fill in does not work as shipped.

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn no_shipped_placeholder_is_a_password() {
    let mut found = Vec::new();
    files(Path::new("deploy"), &mut found);
    let mut secrets = 0;
    for path in found {
        let text = fs::read_to_string(&path).unwrap_or_default();
        for line in text.lines() {
            let setting = line.trim_start_matches(['#', ' ']);
            let Some((name, value)) = setting.split_once('=') else { continue };
            if ["_PASSWORD", "SECRET_KEY", "_TOKENS"].iter().any(|end| name.ends_with(end)) {
                secrets += 1;
                assert_eq!(value, "", "{}: {line}", path.display());
            }
            if name.ends_with("_URL") || name.ends_with("_URLS") {
                let user = value.split_once("://").and_then(|(_, rest)| Some(rest.split_once('@')?.0));
                let password = user.and_then(|user| Some(user.split_once(':')?.1)).unwrap_or_default();
                // A comment shows where a password goes.
                let is_shown = line.starts_with('#') && password == "PASSWORD";
                assert!(password.is_empty() || is_shown, "{}: {line}", path.display());
            }
        }
    }
    assert!(secrets >= 5, "{secrets}");
}
