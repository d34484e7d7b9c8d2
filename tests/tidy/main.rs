//! The project's rules that a program can check.

mod asvs;
mod docs;
mod imports;
mod names;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders with Rust code.
const CODE: [&str; 4] = ["src", "tests", "benches", "fuzz/fuzz_targets"];
const LINES_MAX: usize = 320;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_WIDTH_MAX: usize = 120;

#[test]
fn files_and_functions_stay_short() {
    let mut wrong = Vec::new();
    for path in files(&CODE, "rs") {
        let text = read(&path);
        let count = text.lines().count();
        if count > LINES_MAX {
            wrong.push(format!("{}: {count} lines: two ideas in one room?", path.display()));
        }
        for (name, length) in functions(&text) {
            if length > FUNCTION_LINES_MAX {
                wrong.push(format!("{}: {name} has {length} lines", path.display()));
            }
        }
        for (number, line) in text.lines().enumerate() {
            // A line with a string may be longer, so that texts need not be broken.
            if line.chars().count() > LINE_WIDTH_MAX && !line.contains('"') {
                wrong.push(format!("{}:{}: wider than {LINE_WIDTH_MAX}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_module_has_a_catch_all_name() {
    let forbidden = ["utils", "helpers", "common", "services", "manager"];
    let mut wrong = Vec::new();
    for path in files(&CODE, "rs") {
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let folder =
            path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
        if forbidden.contains(&name.as_str()) || forbidden.contains(&folder) {
            wrong.push(path.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn sql_stays_in_the_stores() {
    let queries = ["diesel::insert_into", "diesel::update", "diesel::delete", "diesel::sql_query"];
    let is_store = |path: &Path| {
        let path = path.to_string_lossy();
        path.contains("store") || path.starts_with("src/db") || path.starts_with("src/schema")
    };
    let wrong: Vec<String> = files(&["src"], "rs")
        .into_iter()
        .filter(|path| !is_store(path) && queries.iter().any(|query| read(path).contains(query)))
        .map(|path| path.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn nothing_panics_without_a_proof() {
    let mut wrong = Vec::new();
    for path in files(&["src"], "rs").into_iter().filter(|path| !path.ends_with("tests.rs")) {
        let text = read(&path);
        let code = without_tests(&text);
        let lines: Vec<&str> = code.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let risky = [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!("];
            let is_comment = line.trim_start().starts_with("//");
            let is_proved = number > 0 && lines[number - 1].trim_start().starts_with("//");
            if !is_comment && risky.iter().any(|call| line.contains(call)) && !is_proved {
                wrong.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn templates_keep_the_content_security_policy_strict() {
    let mut wrong = Vec::new();
    for path in files(&["templates"], "html") {
        let text = read(&path);
        // Mail programs do not load our style sheets, so mails may have inline styles.
        let is_mail = path.starts_with("templates/mail");
        for bad in
            ["<style", "style=\"", "<script>", "onclick=", "javascript:", "hx-on", "http://", "https://"]
        {
            if text.contains(bad) && !(is_mail && bad.contains("style")) {
                wrong.push(format!("{}: {bad}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_asset_and_template_is_there_and_used() {
    let sources: Vec<String> = files(&["src", "templates"], "rs")
        .iter()
        .chain(&files(&["templates"], "html"))
        .map(|path| read(path))
        .collect();
    let importers: Vec<String> = files(&["static/css"], "css")
        .iter()
        .chain(&[Path::new("static/js/app.js").to_owned()])
        .map(|path| read(path))
        .collect();
    let mut wrong = Vec::new();
    for named in sources.iter().flat_map(|text| quoted_after(text, "assets::url(\"")) {
        if !Path::new("static").join(&named).exists() {
            wrong.push(format!("static/{named} is named, but not there"));
        }
    }
    let icons: BTreeSet<String> = ["assets::icon(\"", "assets::icon_with(\""]
        .iter()
        .flat_map(|before| sources.iter().flat_map(|text| quoted_after(text, before)))
        .collect();
    for named in &icons {
        if !Path::new("static/vendor/lucide").join(format!("{named}.svg")).exists() {
            wrong.push(format!("the icon {named} is named, but not there"));
        }
    }
    for path in files(&["templates"], "html") {
        let name = path.strip_prefix("templates").expect("it was found there").display().to_string();
        if !sources.iter().any(|text| text.contains(&format!("\"{name}\""))) {
            wrong.push(format!("templates/{name} is dead"));
        }
    }
    for path in
        files(&["static"], "css").into_iter().chain(files(&["static"], "js")).chain(files(&["static"], "svg"))
    {
        let name = path.strip_prefix("static").expect("it was found there").display().to_string();
        let short = name.rsplit('/').next().unwrap_or_default().to_owned();
        let used = icons.contains(short.trim_end_matches(".svg"))
            || sources.iter().any(|text| text.contains(&format!("\"{name}\"")))
            || importers.iter().any(|text| {
                [format!("\"{short}\""), format!("\"./{short}\""), format!("/{name}\"")]
                    .iter()
                    .any(|import| text.contains(import))
            });
        if !used {
            wrong.push(format!("static/{name} is dead"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |folder: &str| -> BTreeSet<PathBuf> {
        let root = Path::new("migrations").join(folder);
        files(&[&format!("migrations/{folder}")], "sql")
            .into_iter()
            .map(|path| path.strip_prefix(&root).expect("it was found there").to_owned())
            .collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(names("sqlite").iter().any(|path| path.ends_with("down.sql")));
}

/// All files with an extension below some folders, as paths from the project's root.
fn files(folders: &[&str], extension: &str) -> Vec<PathBuf> {
    let mut found = all_files(folders);
    found.retain(|path| path.extension().is_some_and(|it| it == extension));
    found
}

/// All files below some folders, as paths from the project's root.
fn all_files(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The first line of each function, and its number of lines, found by the indentation that `cargo fmt` gives it.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let is_function =
            ["fn ", "pub fn ", "async fn ", "pub async fn ", "pub(crate) fn ", "pub(super) fn "]
                .iter()
                .any(|head| code.starts_with(head));
        if is_function && !code.ends_with(';') && !code.ends_with('}') {
            let indent = line.len() - code.len();
            let end = lines[start..].iter().position(|it| *it == format!("{}}}", " ".repeat(indent)));
            found.push((code.to_owned(), end.map_or(1, |end| end + 1)));
        }
    }
    found
}

/// The code before the file's own tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

fn quoted_after(text: &str, before: &str) -> Vec<String> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
