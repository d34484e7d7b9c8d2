//! The commands in the documents' code exist, and so do their flags.

use std::collections::BTreeSet;
use std::path::Path;

use super::documents;
use crate::{files, read};

/// The file that defines the commands of `techkraft`.
const SOURCE: &str = "src/config/command_line.rs";

/// The commands of `cargo` and of its plugins that the documents may name.
const CARGO: [&str; 10] =
    ["run", "build", "test", "bench", "fmt", "clippy", "install", "fuzz", "deb", "deny"];

/// The commands of a document: lines of code blocks and commands in backticks, continued lines joined.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_code = false;
    let mut line = String::new();
    for raw in text.lines() {
        if raw.trim_start().starts_with("```") {
            is_code = !is_code;
            line.clear();
            continue;
        }
        if !is_code {
            let inline = raw.split('`').skip(1).step_by(2).map(str::trim);
            found.extend(inline.map(str::to_owned));
            continue;
        }
        line.push_str(raw.trim());
        if let Some(rest) = line.strip_suffix('\\') {
            line = rest.to_owned();
            continue;
        }
        found.push(std::mem::take(&mut line));
    }
    found.iter().map(|line| without_settings(line).to_owned()).collect()
}

/// A command without the settings, `sudo` and `docker run …` in front of it, and without a comment or a pipe after
/// it.
fn without_settings(line: &str) -> &str {
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let line = line.split(" #").next().unwrap_or(line).split(" | ").next().unwrap_or(line);
    let mut rest = line.trim();
    while let Some((word, after)) = rest.split_once(' ') {
        let is_setting = word.split('=').next().is_some_and(|name| {
            name.len() < word.len()
                && name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
        });
        if !is_setting && word != "sudo" {
            break;
        }
        // A quoted value may contain spaces.
        let value = word.split_once('=').map_or("", |(_, value)| value);
        let quote = value.chars().next().filter(|c| matches!(c, '\'' | '"'));
        rest = match quote {
            Some(quote) if !value[1..].contains(quote) => {
                after.split_once(quote).map_or("", |(_, after)| after)
            }
            _ => after,
        }
        .trim_start();
    }
    rest
}

/// The commands of `techkraft`, from the source: variants in kebab case.
pub(super) fn subcommands(source: &str) -> BTreeSet<String> {
    let body = source
        .split("pub enum Command {")
        .nth(1)
        .and_then(|rest| rest.split("\n}").next())
        .unwrap_or_default();
    let lines = body.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.starts_with('#'));
    lines
        .filter_map(|line| line.split(['(', ',', ' ']).next())
        .filter(|name| !name.is_empty())
        .map(kebab)
        .collect()
}

/// The flags of `techkraft`: the fields below an attribute with `long`.
fn flags() -> BTreeSet<String> {
    let mut flags = BTreeSet::from(["help".to_owned(), "version".to_owned()]);
    for path in files(&["src/config"], "rs") {
        let text = read(&path);
        for rest in text.split("#[arg(").skip(1) {
            let Some((attribute, after)) = rest.split_once(")]\n") else { continue };
            let has_long = attribute.split([',', ' ', '\n']).any(|word| word == "long");
            let field = after.trim_start().split(':').next().map(|field| field.trim_start_matches("pub "));
            flags.extend(field.filter(|_| has_long).map(|name| name.replace('_', "-")));
        }
    }
    flags
}

fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

/// Why a command is invalid; `None`: it is valid.
fn fault(command: &str, subcommands: &BTreeSet<String>, flags: &BTreeSet<String>) -> Option<String> {
    let mut words = command.split_whitespace();
    let program = words.next()?;
    let words: Vec<&str> = words.collect();
    match program {
        "techkraft" => {
            let name = words.first().filter(|word| !word.starts_with(['-', '…', '\\']))?;
            if !subcommands.contains(*name) {
                return Some(format!("techkraft has no {name}"));
            }
            let long =
                words.iter().filter_map(|word| word.strip_prefix("--")).filter(|word| !word.is_empty());
            let names = long.filter_map(|word| word.split('=').next());
            names.into_iter().find(|name| !flags.contains(*name)).map(|name| format!("no flag --{name}"))
        }
        "cargo" => {
            let name = words.first()?;
            if !CARGO.contains(name) {
                return Some(format!("cargo has no {name}"));
            }
            let after = |flag: &str| words.iter().position(|it| *it == flag).and_then(|at| words.get(at + 1));
            let is_target = |folder: &str, name: &str| {
                Path::new(folder).join(name).join("main.rs").exists()
                    || Path::new(folder).join(format!("{name}.rs")).exists()
            };
            let targets = [("--bench", "benches"), ("--test", "tests")];
            let missing = targets.iter().find_map(|(flag, folder)| {
                let name = after(flag)?;
                (!is_target(folder, name)).then(|| format!("no {folder}/{name}"))
            });
            let feature = after("--features")
                .filter(|it| !read(Path::new("Cargo.toml")).contains(&format!("\n{it} = [")));
            missing.or(feature.map(|it| format!("no feature {it}")))
        }
        path if path.starts_with("scripts/") || path.starts_with("deploy/") => {
            let is_written = path.contains(['*', '{', '<']);
            (!is_written && !Path::new(path).exists()).then(|| format!("no file {path}"))
        }
        _ => None,
    }
}

#[test]
fn every_command_is_one() {
    let (subcommands, flags) = (subcommands(&read(Path::new(SOURCE))), flags());
    for name in ["serve", "demo", "set-admin-password", "backup"] {
        assert!(subcommands.contains(name), "{subcommands:?}");
    }
    for name in ["bind", "keep-days", "grant-to", "database-url", "metrics", "overwrite"] {
        assert!(flags.contains(name), "{name} in {flags:?}");
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for document in documents().into_iter().filter(|it| it != Path::new("CHANGELOG.md")) {
        for command in commands(&read(&document)) {
            count += usize::from(command.starts_with("techkraft ") || command.starts_with("cargo "));
            let fault = fault(&command, &subcommands, &flags);
            wrong.extend(fault.map(|fault| format!("{}: {command}: {fault}", document.display())));
        }
    }
    assert!(count > 20, "{count} commands");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_is_found_behind_its_settings() {
    let text =
        "```\nDATABASE_URL='a b' \\\nX=y techkraft backup PATH --keep 3  # now\n```\nor `techkraft serv`";
    assert_eq!(commands(text), ["techkraft backup PATH --keep 3", "techkraft serv"]);
    let (subcommands, flags) = (subcommands(&read(Path::new(SOURCE))), flags());
    let fault = |command| fault(command, &subcommands, &flags);
    assert_eq!(fault("techkraft backup PATH --keep 3"), None);
    assert_eq!(fault("techkraft serv").as_deref(), Some("techkraft has no serv"));
    assert_eq!(fault("techkraft backup PATH --kept 3").as_deref(), Some("no flag --kept"));
    assert_eq!(fault("cargo bench --bench onsale -- --quick"), None);
    assert_eq!(fault("cargo bench --bench offsale").as_deref(), Some("no benches/offsale"));
    assert_eq!(fault("scripts/nothing").as_deref(), Some("no file scripts/nothing"));
    assert_eq!(fault("ls"), None);
}
