//! Each type name has one meaning, each file says what it is for, and forbidden words stay out.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{CODE, files, read};

/// Names that several types may have: the two template structs of each mail, in the mail's own file.
const SEVERAL: [&str; 2] = ["Html", "Text"];

#[test]
fn a_type_name_stands_for_one_idea() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files(&["src"], "rs") {
        for name in type_names(&read(&path)) {
            places.entry(name).or_default().push(path.display().to_string());
        }
    }
    let wrong: Vec<String> = places
        .iter()
        .filter(|(name, places)| places.len() > 1 && !SEVERAL.contains(&name.as_str()))
        .map(|(name, places)| format!("{name}: {}", places.join(", ")))
        .collect();
    assert!(wrong.is_empty(), "one name for several ideas:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let wrong: Vec<String> = files(&CODE, "rs")
        .iter()
        .filter(|path| !path.starts_with("fuzz/fuzz_targets") && !read(path).starts_with("//!"))
        .map(|path| path.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "these do not begin with //!:\n{}", wrong.join("\n"));
}

#[test]
fn there_is_one_module_style() {
    let wrong: Vec<String> = files(&CODE, "rs")
        .iter()
        .filter(|path| path.with_extension("").is_dir())
        .map(|path| format!("{}: name it mod.rs, in its folder", path.display()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn private_words_do_not_come_back() {
    let words: Vec<&str> = include_str!("words.txt").lines().filter(|line| !line.starts_with('#')).collect();
    assert!(words.len() > 10, "the list is there");
    let code = files(&["src", "tests/testkit"], "rs");
    let pages = files(&["templates"], "html").into_iter().chain(files(&["templates"], "txt"));
    let scripts = files(&["static/js"], "js").into_iter().chain(files(&["static/css"], "css"));
    let docs = files(&["docs"], "md").into_iter().chain(["README.md".into(), "SECURITY.md".into()]);
    let mut wrong = Vec::new();
    for path in code.into_iter().chain(pages).chain(scripts).chain(docs) {
        for (number, line) in read(&path).lines().enumerate() {
            let lower = line.to_lowercase();
            for word in words.iter().filter(|word| lower.contains(&word.to_lowercase())) {
                wrong.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The types that a file defines, without those that are associated with an implementation.
fn type_names(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut names = Vec::new();
    for line in code.lines() {
        let line = ["pub ", "pub(crate) ", "pub(super) "]
            .iter()
            .find_map(|it| line.strip_prefix(it))
            .unwrap_or(line);
        let rest = ["struct ", "enum ", "trait ", "type "].iter().find_map(|it| line.strip_prefix(it));
        if let Some(rest) = rest {
            names.push(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
        }
    }
    names
}

#[test]
fn types_are_found_where_they_are_defined() {
    let text = "pub struct A;\nimpl B {\n    type Error = C;\n}\nenum D {}\npub(crate) type E = u8;\n#[cfg(test)]\nstruct F;";
    assert_eq!(type_names(text), ["A", "D", "E"]);
    assert!(Path::new("tests/tidy/words.txt").exists());
}
