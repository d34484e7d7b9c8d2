//! Imports go one way: a file imports only from its own layer and those below it, and there are no import cycles. What
//! a template names is an import of the file that compiles it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::{files, quoted_after, read, without_tests};

/// The modules of each layer ("floor"), from the top. A module of the same layer may be imported if that makes no
/// cycle.
const FLOORS: [&[&str]; 8] = [
    &["main", "lib"],
    &["commands", "server", "background", "config", "demo"],
    &["routes"],
    &["api", "admin", "ops"],
    &[
        "events",
        "booking",
        "payment",
        "sales",
        "tickets",
        "mail",
        "queue",
        "rehearsal",
        "backup",
        "reconciliation",
        "app",
    ],
    &["auth", "audit", "outbox"],
    &["connections", "guard", "db", "error", "page", "resource", "role", "assets", "site"],
    &[
        "box_office",
        "contact",
        "heartbeat",
        "log_limit",
        "log_safe",
        "logging",
        "money",
        "outgoing",
        "redis_health",
        "redis_url",
        "schema",
        "start_error",
        "textfile",
        "venue_clock",
    ],
];

#[test]
fn imports_go_down() {
    let house = House::read();
    let wrong: Vec<String> = house
        .arrows()
        .filter(|(from, to)| floor(from) > floor(to))
        .map(|(from, to)| format!("src/{from} imports src/{to}, which stands on a higher floor"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let house = House::read();
    let circles = house.circles();
    let largest = circles.iter().map(Vec::len).max().unwrap_or(1);
    println!("largest circle of imports: {largest} of {} files", house.imports.len());
    let wrong: Vec<String> = circles
        .iter()
        .flat_map(|circle| house.arrows().filter(|(from, to)| circle.contains(from) && circle.contains(to)))
        .map(|(from, to)| format!("src/{from} imports src/{to}, and is imported by it in a circle"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_form_of_an_import_is_read() {
    let paths = |code: &str| import_paths(code).into_iter().collect::<Vec<_>>();
    assert_eq!(
        paths("use crate::a::{self, b::{C, d}, e as f};"),
        ["crate::a", "crate::a::b::C", "crate::a::b::d", "crate::a::e"]
    );
    assert_eq!(paths("fn x() { crate::mail::send(); } // crate::not::this"), ["crate::mail::send"]);
    assert_eq!(paths("use super::store;"), ["super::store"]);
    assert_eq!(
        paths("x(super::a::b()); y(super::super::c); use self::z;"),
        ["self::z", "super::a::b", "super::super::c"]
    );
    let error_page = template_paths("#[template(path = \"error.html\")]");
    assert!(error_page.contains("crate::assets::icon"), "its own: {error_page:?}");
    assert!(error_page.contains("crate::page::demo"), "of the layout that it extends: {error_page:?}");
}

/// The imports between the files of `src`.
struct House {
    /// For each file, the files that it imports, as paths below `src`.
    imports: BTreeMap<String, BTreeSet<String>>,
}

impl House {
    fn read() -> Self {
        let mut modules = BTreeMap::new();
        let mut texts = Vec::new();
        for path in files(&["src"], "rs") {
            let file = path.strip_prefix("src").expect("it was found there").display().to_string();
            let module = module_of(&file);
            modules.insert(module.clone(), file.clone());
            texts.push((module, file, read(&path)));
        }
        let re_exports: BTreeMap<String, String> = texts
            .iter()
            .flat_map(|(module, _, text)| {
                let children = import_paths(text)
                    .into_iter()
                    .filter_map(|path| path.strip_prefix("self::").map(str::to_owned));
                children.filter_map(|path| {
                    let name = path.rsplit("::").next()?;
                    Some((join(module, name), join(module, &path)))
                })
            })
            .collect();
        let imports = texts.iter().map(|(module, file, text)| {
            let paths = import_paths(text).into_iter().chain(template_paths(text));
            let targets = paths.filter(|path| !path.starts_with("self::")).filter_map(|path| {
                let path = absolute(module, &path);
                let path = re_exports.get(&path).unwrap_or(&path);
                file_of(path, &modules)
            });
            (file.clone(), targets.filter(|target| target != file).collect())
        });
        Self { imports: imports.collect() }
    }

    fn arrows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.imports.iter().flat_map(|(from, all)| all.iter().map(move |to| (from.as_str(), to.as_str())))
    }

    /// Groups of files that all import each other, directly or indirectly.
    fn circles(&self) -> Vec<Vec<&str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.imports.keys().map(|file| (file.as_str(), self.reached_from(file))).collect();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for (file, all) in &reached {
            if seen.contains(file) || !all.contains(file) {
                continue;
            }
            let circle: Vec<&str> =
                all.iter().copied().filter(|other| reached[other].contains(file)).collect();
            seen.extend(circle.iter().copied());
            circles.push(circle);
        }
        circles
    }

    fn reached_from(&self, file: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<&str> = self.imports[file].iter().map(String::as_str).collect();
        while let Some(next) = waiting.pop() {
            if reached.insert(next) {
                waiting.extend(self.imports[next].iter().map(String::as_str));
            }
        }
        reached
    }
}

/// The layer of a file's module, counted from the top.
fn floor(file: &str) -> usize {
    let room = file.split(['/', '.']).next().unwrap_or_default();
    let floor = FLOORS.iter().position(|rooms| rooms.contains(&room));
    floor.unwrap_or_else(|| panic!("src/{file}: give the room `{room}` a floor in tests/tidy/imports.rs"))
}

fn module_of(file: &str) -> String {
    let path = Path::new(file).with_extension("");
    let path = if path.ends_with("mod") { path.parent().unwrap_or(&path).to_owned() } else { path };
    path.display().to_string().replace('/', "::")
}

fn file_of(path: &str, modules: &BTreeMap<String, String>) -> Option<String> {
    let mut path = path;
    loop {
        if let Some(file) = modules.get(path) {
            return Some(file.clone());
        }
        path = path.rsplit_once("::")?.0;
    }
}

fn absolute(module: &str, path: &str) -> String {
    if let Some(rest) = path.strip_prefix("crate::") {
        return rest.to_owned();
    }
    let (mut module, mut path) = (module, path);
    while let Some(rest) = path.strip_prefix("super::") {
        module = module.rsplit_once("::").map_or("", |(parent, _)| parent);
        path = rest;
    }
    join(module, path)
}

fn join(module: &str, path: &str) -> String {
    if module.is_empty() { path.to_owned() } else { format!("{module}::{path}") }
}

/// All paths that begin with `crate`, `super` or `self`, outside of tests and comments. Of those that begin with `self`
/// only what `use` names.
fn import_paths(text: &str) -> BTreeSet<String> {
    let code = without_tests(text);
    let code: Vec<&str> = code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join(" ");
    let mut paths = BTreeSet::new();
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        match statement.rfind("use ").filter(|at| is_use(&statement[at + 4..])) {
            Some(at) => {
                rest.push_str(&statement[..at]);
                paths.extend(expand(statement[at + 4..].trim_end_matches(';')));
            }
            None => rest.push_str(statement),
        }
    }
    paths.extend(inline_paths(&rest, "crate::"));
    paths.extend(inline_paths(&rest, "super::"));
    paths
}

/// The `crate::` paths in the templates that a file compiles, and in those that they extend, include or import.
fn template_paths(text: &str) -> BTreeSet<String> {
    let mut waiting = quoted_after(without_tests(text), "template(path = \"");
    let (mut seen, mut paths) = (BTreeSet::new(), BTreeSet::new());
    while let Some(name) = waiting.pop() {
        let template = read(&Path::new("templates").join(&name));
        if seen.insert(name) {
            let parts = ["extends \"", "include \"", "import \""];
            waiting.extend(parts.iter().flat_map(|before| quoted_after(&template, before)));
            paths.extend(inline_paths(&template, "crate::"));
        }
    }
    paths
}

/// The paths in an expression or a type that begin with `start`.
fn inline_paths(text: &str, start: &str) -> Vec<String> {
    let is_in_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let path = |at: usize| text[at..].chars().take_while(|c| is_in_path(*c)).collect::<String>();
    let places = text.match_indices(start).filter(|(at, _)| !text[..*at].ends_with(is_in_path));
    places.map(|(at, _)| path(at).trim_end_matches(':').to_owned()).collect()
}

fn is_use(path: &str) -> bool {
    ["crate::", "super::", "self::"].iter().any(|start| path.starts_with(start))
}

/// `a::{b, c::{d}}` as `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        return vec![tree.split(" as ").next().unwrap_or(tree).trim().to_owned()];
    };
    let (start, body) = (&tree[..open], &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())]);
    let (mut depth, mut item, mut items) = (0, String::new(), Vec::new());
    for letter in body.chars() {
        match letter {
            ',' if depth == 0 => items.push(std::mem::take(&mut item)),
            _ => {
                depth += i32::from(letter == '{') - i32::from(letter == '}');
                item.push(letter);
            }
        }
    }
    items.push(item);
    let items = items.iter().filter(|item| !item.trim().is_empty()).flat_map(|item| expand(item));
    items.map(|item| format!("{start}{item}").replace("::self", "")).collect()
}
