//! Everything that the documents name exists: pages, headings, files, commands and settings.

mod commands;
mod settings;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::{files, read};

/// Documents outside of `docs`.
const AT_THE_ROOT: [&str; 3] = ["README.md", "CHANGELOG.md", "SECURITY.md"];

fn documents() -> Vec<PathBuf> {
    files(&["docs"], "md").into_iter().chain(AT_THE_ROOT.map(PathBuf::from)).collect()
}

/// The lines of a document without its code blocks and inline code, because brackets in code are not links.
fn prose(text: &str) -> Vec<String> {
    let mut is_code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        lines.push(if is_code || is_fence { String::new() } else { without_code(line) });
    }
    lines
}

fn without_code(line: &str) -> String {
    let parts = line.split('`').enumerate();
    parts
        .map(|(number, part)| if number % 2 == 0 { part.to_owned() } else { " ".repeat(part.len()) })
        .collect()
}

/// The targets of the links and pictures of a line: the text in `](…)`.
fn targets(line: &str) -> Vec<&str> {
    let ends = line.split("](").skip(1);
    ends.filter_map(|rest| rest.split([')', ' ']).next()).filter(|target| !target.is_empty()).collect()
}

/// The anchor of a heading, as code hosts create it: lower-case letters, digits, and hyphens for spaces.
fn anchor(heading: &str) -> String {
    let shown = heading.replace(['`', '*'], "");
    let kept = shown.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn anchors(path: &Path) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut is_code = false;
    let mut anchors = Vec::new();
    for line in read(path).lines() {
        is_code ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if is_code || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let anchor = anchor(heading);
        let before = seen.entry(anchor.clone()).and_modify(|count| *count += 1).or_default();
        anchors.push(if *before == 0 { anchor } else { format!("{anchor}-{before}") });
    }
    anchors
}

/// The path of a link's target, relative to the project's root.
fn resolve(document: &Path, target: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in document.parent().unwrap_or(Path::new("")).join(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for document in documents() {
        for (number, line) in prose(&read(&document)).iter().enumerate() {
            for target in targets(line).into_iter().filter(|target| !target.contains("://")) {
                count += 1;
                let (file, anchor) =
                    target.split_once('#').map_or((target, None), |(file, it)| (file, Some(it)));
                let path = if file.is_empty() { document.clone() } else { resolve(&document, file) };
                let is_there = path.exists();
                let has_heading =
                    anchor.is_none_or(|anchor| is_there && anchors(&path).iter().any(|it| it == anchor));
                if !is_there || !has_heading {
                    wrong.push(format!("{}:{}: {target}", document.display(), number + 1));
                }
            }
        }
    }
    assert!(count > 100, "{count} links");
    assert!(wrong.is_empty(), "these lead nowhere:\n{}", wrong.join("\n"));
}

/// Nobody finds a page that no other page links to.
#[test]
fn every_page_is_reached_from_the_index() {
    let mut reached = vec![PathBuf::from("README.md")];
    let mut next = 0;
    while next < reached.len() {
        let document = reached[next].clone();
        next += 1;
        for line in prose(&read(&document)) {
            for target in targets(&line).into_iter().filter(|target| !target.contains("://")) {
                let path = resolve(&document, target.split('#').next().unwrap_or_default());
                let pages = if path.is_dir() { files(&[&path.to_string_lossy()], "md") } else { vec![path] };
                for page in pages {
                    let is_page = page.extension().is_some_and(|it| it == "md") && page.exists();
                    if is_page && !reached.contains(&page) {
                        reached.push(page);
                    }
                }
            }
        }
    }
    let lost: Vec<_> = documents().into_iter().filter(|page| !reached.contains(page)).collect();
    assert!(lost.is_empty(), "no page leads to these: {lost:?}");
}

#[test]
fn every_picture_is_shown() {
    let shown: Vec<PathBuf> = documents()
        .iter()
        .flat_map(|document| {
            let lines = prose(&read(document));
            lines.iter().flat_map(|line| targets(line)).map(|it| resolve(document, it)).collect::<Vec<_>>()
        })
        .collect();
    let dead: Vec<_> =
        files(&["docs"], "png").into_iter().filter(|picture| !shown.contains(picture)).collect();
    assert!(dead.is_empty(), "{dead:?}");
}

#[test]
fn links_and_headings_are_found() {
    assert_eq!(
        targets("see [a](b.md#c) and ![](d.png), [e](https://f.example)"),
        ["b.md#c", "d.png", "https://f.example"]
    );
    assert_eq!(targets(&without_code("`a[b](c)` [d](e)")), ["e"]);
    assert_eq!(anchor(" Patroni and etcd"), "patroni-and-etcd");
    assert_eq!(anchor(" `/api/v1`"), "apiv1");
    assert_eq!(anchor(" PostgreSQL's fail-over"), "postgresqls-fail-over");
    assert_eq!(anchor(" 99.99 %"), "9999-");
    assert_eq!(resolve(Path::new("docs/a/b.md"), "../../deploy/x"), Path::new("deploy/x"));
    let text = "[a](b)\n```\n[c](d)\n```\n[e](f)";
    let lines = prose(text);
    assert_eq!(lines.iter().flat_map(|line| targets(line)).collect::<Vec<_>>(), ["b", "f"]);
}
