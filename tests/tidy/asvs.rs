//! docs/asvs.md has all requirements of OWASP ASVS 5.0, levels 1 and 2, and the files that it and docs/security.md
//! name exist.

use std::collections::BTreeSet;
use std::path::Path;

use crate::read;

/// The numbers of requirements of level 1 and of level 2.
const REQUIREMENTS: [usize; 2] = [70, 183];
const STATES: [&str; 3] = ["met", "open", "not applicable"];
/// The folders that the documents' file names may be relative to.
const PLACES: [&str; 5] = ["", "src", "tests", "tests/full", "templates/admin"];

#[test]
fn each_requirement_has_one_state() {
    let text = read("docs/asvs.md".as_ref());
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit());
    let (mut seen, mut levels) = (BTreeSet::new(), [0; 2]);
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [numbers, level, what, state, place] = cells[..] else { panic!("five cells: {row}") };
        assert!(STATES.contains(&state) && !what.is_empty() && !place.is_empty(), "{row}");
        for number in numbers.split(", ") {
            assert!(seen.insert(number), "{number} twice");
            levels[if level == "1" { 0 } else { 1 }] += 1;
        }
    }
    assert_eq!(levels, REQUIREMENTS);
}

#[test]
fn what_the_documents_on_security_name_is_there() {
    let mut gone = Vec::new();
    for document in ["docs/asvs.md", "docs/security.md"] {
        let text = read(document.as_ref());
        let lines = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
        for name in lines.filter(|name| is_file(name)) {
            if !PLACES.iter().any(|place| Path::new(place).join(name).exists()) {
                gone.push(format!("{document}: {name}"));
            }
        }
    }
    assert!(gone.is_empty(), "{}", gone.join("\n"));
}

/// Whether a name in backquotes is a file or a folder, not a URL, a command or a pattern.
fn is_file(name: &str) -> bool {
    let is_path = name.contains('/') || [".rs", ".toml", ".html"].iter().any(|end| name.ends_with(end));
    is_path && !name.starts_with(['/', '*']) && !name.contains([' ', ':', '{'])
}
