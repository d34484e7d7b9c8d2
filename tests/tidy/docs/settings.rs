//! Every setting is in docs/settings.md, and in the environment file that packages install, where most are commented
//! out.

use std::collections::BTreeSet;
use std::path::Path;

use crate::{files, read};

const TABLE: &str = "docs/settings.md";
const ENVIRONMENT: &str = "deploy/debian/techkraft.env";
/// The logger reads this setting, not `config`.
const OF_THE_LOG: &str = "RUST_LOG";

/// The names in `env = "NAME"`.
fn in_code() -> BTreeSet<String> {
    let texts: Vec<String> = files(&["src/config"], "rs").iter().map(|path| read(path)).collect();
    let names = texts.iter().flat_map(|text| text.split("env = \"").skip(1));
    let names = names.filter_map(|rest| rest.split('"').next()).map(str::to_owned);
    names.chain([OF_THE_LOG.to_owned()]).collect()
}

/// The names in the first cells of the tables.
fn in_table() -> BTreeSet<String> {
    let text = read(Path::new(TABLE));
    let settings = text.split("## Settings").nth(1).unwrap_or_default().to_owned();
    let rows = settings.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|line| line.split('|').nth(1)).map(str::to_owned).collect::<Vec<_>>();
    cells.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// The names of the lines `NAME=…` and `#NAME=…`.
fn in_environment() -> Vec<String> {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let text = read(Path::new(ENVIRONMENT));
    let lines = text.lines().filter_map(|line| line.trim_start_matches('#').split_once('='));
    lines.map(|(name, _)| name.to_owned()).filter(|name| is_name(name)).collect()
}

#[test]
fn every_setting_is_documented() {
    let (code, table) = (in_code(), in_table());
    assert!(code.len() > 35 && code.contains("PUBLIC_URL"), "{code:?}");
    assert_eq!(code, table, "src/config and {TABLE}");
}

#[test]
fn the_packaged_environment_has_every_setting_once() {
    let names = in_environment();
    let set: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(names.len(), set.len(), "{names:?}");
    assert_eq!(set, in_table(), "{ENVIRONMENT} and {TABLE}");
}

/// Variables in compose.yaml that are for other programs.
const OF_OTHERS: [&str; 5] = ["SITE_NAME", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "TMPDIR"];

/// A misspelled name would be ignored, and the site would run with the default.
#[test]
fn the_containers_set_what_there_is() {
    let (compose, image) = (read(Path::new("compose.yaml")), read(Path::new("Dockerfile")));
    let is_name = |name: &str| name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let keys = compose.lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name);
    let variables = image.split("\nENV ").skip(1).flat_map(|rest| {
        let end = rest.find("\n\n").or_else(|| rest.find("\nEXPOSE")).unwrap_or(rest.len());
        rest[..end].lines().map(str::trim).take_while(|line| line.contains('='))
    });
    let variables = variables.filter_map(|line| line.split_once('=')).map(|(name, _)| name);
    let names: BTreeSet<&str> = keys.chain(variables).filter(|name| is_name(name)).collect();
    assert!(names.contains("DATABASE_URL") && names.contains("MAIL_DIR") && names.len() > 12, "{names:?}");
    let table = in_table();
    let wrong: Vec<_> =
        names.iter().filter(|name| !table.contains(**name) && !OF_OTHERS.contains(name)).collect();
    assert!(wrong.is_empty(), "no settings: {wrong:?}");
}

#[test]
fn every_command_is_documented() {
    let source = read(Path::new("src/config/command_line.rs"));
    let text = read(Path::new(TABLE));
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `techkraft")).collect();
    for name in super::commands::subcommands(&source) {
        let command = format!("`techkraft {name}");
        assert!(rows.iter().any(|row| row.contains(&command)), "{command} is not in {TABLE}");
    }
}

/// No setting that depends on the site has a value in the packaged file, so no site runs with somebody else's value.
#[test]
fn the_packaged_environment_sets_nothing_that_is_somebodys() {
    let text = read(Path::new(ENVIRONMENT));
    let set: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let names: Vec<&str> = set.iter().filter_map(|line| line.split('=').next()).collect();
    assert_eq!(names, ["DATABASE_URL", "OPS_BIND"], "{set:?}");
}
