//! Each type name has one meaning, each file says what it is for, and forbidden words stay out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{CODE, all_files, files, read};

/// The crates in which a type name may be used once.
const CRATES: [&str; 2] = ["src", "tests/testkit/src"];
/// Where the words of `words.txt` are looked for. Migrations are not among them, because they cannot change.
const WRITTEN: [&str; 10] = [
    "src",
    "tests",
    "benches",
    "deploy",
    "scripts",
    "fuzz/fuzz_targets",
    "templates",
    "static/js",
    "static/css",
    "docs",
];
const WRITTEN_FILES: [&str; 9] = [
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "Cargo.toml",
    "fuzz/Cargo.toml",
    "build.rs",
    "deny.toml",
    "Dockerfile",
    "compose.yaml",
];

#[test]
fn a_type_name_stands_for_one_idea() {
    let mut wrong = Vec::new();
    for folder in CRATES {
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in files(&[folder], "rs") {
            for name in type_names(&read(&path)) {
                places.entry(name).or_default().push(path.display().to_string());
            }
        }
        assert!(places.len() > 10, "{folder} has types");
        let several = places.iter().filter(|(_, places)| places.len() > 1);
        wrong.extend(several.map(|(name, places)| format!("{name}: {}", places.join(", "))));
    }
    assert!(wrong.is_empty(), "one name for several ideas:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let wrong: Vec<String> = files(&CODE, "rs")
        .iter()
        .filter(|path| !read(path).starts_with("//!"))
        .map(|path| path.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "these do not begin with //!:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_says_what_does_not_belong_there() {
    let says_it = |text: &str| {
        text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains("belong"))
    };
    let wrong: Vec<String> = files(&["src"], "rs")
        .iter()
        .filter(|path| path.ends_with("mod.rs") && !says_it(&read(path)))
        .map(|path| path.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "what does not belong there, and where it is instead?\n{}", wrong.join("\n"));
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
    let words = forbidden_words();
    assert!(words.len() > 10, "the list is there");
    let is_ours = |path: &Path| {
        !path.ends_with("words.txt") && !path.components().any(|part| part.as_os_str() == "vendor")
    };
    let paths = all_files(&WRITTEN).into_iter().chain(WRITTEN_FILES.map(PathBuf::from));
    let (mut wrong, mut count) = (Vec::new(), 0);
    for path in paths.filter(|path| is_ours(path)) {
        // Pictures are no text.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        count += 1;
        for (number, line) in text.to_lowercase().lines().enumerate() {
            let found = words.iter().filter(|word| word.is_in(line));
            wrong.extend(found.map(|word| format!("{}:{}: {}", path.display(), number + 1, word.word)));
        }
    }
    assert!(count > 1000, "{count} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

struct ForbiddenWord {
    word: &'static str,
    /// The one text in which it is allowed.
    exception: Option<&'static str>,
}

impl ForbiddenWord {
    /// `line` is in lower case.
    fn is_in(&self, line: &str) -> bool {
        let is_in = |line: &str| line.contains(self.word);
        is_in(line) && self.exception.is_none_or(|exception| is_in(&line.replace(exception, "")))
    }
}

fn forbidden_words() -> Vec<ForbiddenWord> {
    let lines = include_str!("words.txt").lines().filter(|line| !line.starts_with('#'));
    let words = lines.map(|line| match line.split_once(" except ") {
        Some((word, exception)) => ForbiddenWord { word, exception: Some(exception) },
        None => ForbiddenWord { word: line, exception: None },
    });
    words.collect()
}

#[test]
fn an_exception_is_allowed_and_nothing_beside_it() {
    let word = ForbiddenWord { word: "gibberish", exception: Some("kept_gibberish") };
    assert!(word.is_in("two gibberishes") && word.is_in("kept_gibberish and gibberish"));
    assert!(!word.is_in("delete from kept_gibberish"));
    for ForbiddenWord { word, exception } in forbidden_words() {
        assert!(!word.is_empty() && word == word.to_lowercase(), "{word} {exception:?}");
    }
}

/// The types that a file defines, in whatever block, and those that it gives to a macro of its own, such as
/// `text_enum!`. Associated types are none of them.
fn type_names(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut names = Vec::new();
    let mut is_macro = false;
    for (number, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = indentation(line);
        if indent == 0 && !code.is_empty() {
            is_macro = code.ends_with("! {");
        }
        let public = ["pub ", "pub(crate) ", "pub(super) "].iter().find_map(|it| code.strip_prefix(it));
        let item = public.unwrap_or(code);
        let definition = ["struct ", "enum ", "union ", "trait "].iter().find_map(|it| item.strip_prefix(it));
        let alias = item.strip_prefix("type ").filter(|_| !is_associated(&lines[..number], indent));
        let name = match definition.or(alias) {
            Some(rest) => identifier(rest),
            None if is_macro && indent == 4 => given_to_macro(code),
            None => "",
        };
        if !name.is_empty() {
            names.push(name.to_owned());
        }
    }
    names
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn identifier(code: &str) -> &str {
    let end = code.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &code[..end.unwrap_or(code.len())]
}

/// `Name { …` and `Name = …`, as the macros that define types take them. Constants are in capitals.
fn given_to_macro(code: &str) -> &str {
    let name = identifier(code);
    let rest = &code[name.len()..];
    let is_type =
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.contains(|c: char| c.is_ascii_lowercase());
    if is_type && (rest.starts_with(" {") || rest.starts_with(" = ")) { name } else { "" }
}

/// Whether the block around a line of this indentation is a trait or an implementation: the head of the block is the
/// last line that stands further to the left, without the lines that end a long head.
fn is_associated(before: &[&str], indent: usize) -> bool {
    let head = before
        .iter()
        .rev()
        .filter(|line| !line.trim().is_empty() && indentation(line) < indent)
        .find(|line| !["{", "where"].contains(&line.trim()));
    head.is_some_and(|line| {
        ["impl", "unsafe impl", "trait ", "pub trait ", "pub(crate) trait "]
            .iter()
            .any(|start| line.trim_start().starts_with(start))
    })
}

#[test]
fn types_are_found_where_they_are_defined() {
    let text = "pub struct Seat;
impl<T> Place for Seat<T>
where
    T: Copy,
{
    type Error = Wrong;

    fn find() {
        type Row = u8;
        struct Found<T>(T);
    }
}
pub(crate) type Number = u8;
macro_rules! define {
    ($name:ident) => {
        pub struct $name;
        impl Place for $name {
            type Error = Wrong;
        }
    };
}
text_enum! {
    /// A state.
    State {
        Open = \"open\",
    }
}
extractors! {
    Owner = async |request| open(request);
}
urls! {
    EVENTS = Endpoint::page(\"/\");
}
mod tests {
    enum Kind {}
}
";
    assert_eq!(type_names(text), ["Seat", "Row", "Found", "Number", "State", "Owner", "Kind"]);
}
