//! Prepares `static/` for embedding. Every file gets a name that contains the hash of its content. Text files are
//! compressed here, once, so that the server does not have to compress them. The stylesheets below and `app.js` are
//! assembled from the files that they import, and `icons.svg` from all icons, so that a page needs few requests.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use sha2::{Digest as _, Sha256};

const APP_JS: &str = "js/app.js";
/// One for every page, one more for the pages that buyers do not see, one for waiting rooms, one for payments, and
/// one for the additional parts of a demo.
const STYLESHEETS: [&str; 5] =
    ["css/app.css", "css/organizer.css", "css/queue.css", "css/money.css", "css/demo.css"];
const JS_IMPORT: &str = "import \"";
const ICONS: &str = "vendor/lucide";
const COMPRESSIBLE: [&str; 3] = ["css", "js", "svg"];

fn main() {
    println!("cargo::rerun-if-changed=static");
    println!("cargo::rerun-if-changed=migrations");
    if links_packed_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    let static_folder = root.join("static");

    let mut served: BTreeMap<String, (String, Vec<u8>)> = BTreeMap::new();
    // Stylesheets come last: they name the other files by their hashed names.
    let (styles, others): (Vec<_>, Vec<_>) =
        served_files(&static_folder).into_iter().partition(|p| p.ends_with(".css"));
    for path in others.into_iter().chain(styles) {
        let mut content = fs::read(static_folder.join(&path)).expect("a listed file is readable");
        if path.ends_with(".css") {
            let text = minified(&inline_imports(&static_folder.join(&path), "@import \""));
            content = with_hashed_urls(&text, &served).into_bytes();
        } else if path == APP_JS {
            content = minified(&inline_imports(&static_folder.join(&path), JS_IMPORT)).into_bytes();
        }
        let name = hashed_name(&path, &content);
        served.insert(path, (name, content));
    }
    let icons = icons(&static_folder.join(ICONS)).into_bytes();
    served.insert("icons.svg".to_owned(), (hashed_name("icons.svg", &icons), icons));
    fs::write(out.join("assets.rs"), table(&out, &served)).expect("OUT_DIR is writable");
}

/// Whether relative relocations may be packed into a bitmap, which makes the binary a fourteenth smaller. glibc's
/// dynamic linker reads packed relocations since 2.36 (2022). In a build for another system, the version of that
/// system's dynamic linker is unknown here.
fn links_packed_relocations() -> bool {
    let is_native_glibc =
        env::var("TARGET") == env::var("HOST") && env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu");
    let version = || {
        let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    };
    is_native_glibc && version().is_some_and(|version| version >= (2, 36))
}

/// Every file that a browser may ask for, as a path relative to `static/`.
fn served_files(folder: &Path) -> Vec<String> {
    let app_js = fs::read_to_string(folder.join(APP_JS)).expect("app.js is readable");
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(current) = folders.pop() {
        for entry in fs::read_dir(&current).expect("static/ is readable").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let relative = path
                    .strip_prefix(folder)
                    .expect("it was found below")
                    .to_string_lossy()
                    .replace('\\', "/");
                if is_served(&relative, &app_js) {
                    files.push(relative);
                }
            }
        }
    }
    files.sort();
    files
}

/// Some files are not served by themselves: icons are served in one file, licenses and notes are for readers of the
/// source, TrueType fonts are for drawing pictures, and imported stylesheets and scripts are served inside the
/// stylesheets and `app.js`.
fn is_served(path: &str, app_js: &str) -> bool {
    let name = path.strip_prefix("js/").unwrap_or(path);
    let is_part = (path.ends_with(".css") && !STYLESHEETS.contains(&path))
        || (path.ends_with(".js") && app_js.contains(&format!("/{name}\";")));
    !(is_part
        || path.starts_with(ICONS)
        || path.ends_with("LICENSE")
        || path.ends_with(".md")
        || path.ends_with(".ttf"))
}

/// The content of the file, with each import line replaced by the content of the imported file.
fn inline_imports(file: &Path, import: &str) -> String {
    let folder = file.parent().expect("a file has a folder");
    let text = fs::read_to_string(file).expect("the file is readable");
    let mut joined = String::new();
    for line in text.lines() {
        match line.strip_prefix(import).and_then(|rest| rest.strip_suffix("\";")) {
            Some(part) => {
                let content = fs::read_to_string(folder.join(part));
                joined
                    .push_str(&content.unwrap_or_else(|e| panic!("{} imports {part}: {e}", file.display())));
            }
            None => joined.push_str(line),
        }
        joined.push('\n');
    }
    joined
}

/// One file that contains every icon as a symbol with the icon's name. Pages show an icon with
/// `<use href="….svg#name">`.
fn icons(folder: &Path) -> String {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("the icons are there").flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "svg"));
    files.sort();
    let mut joined = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\">\n");
    for path in files {
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let icon = fs::read_to_string(&path).expect("the icon is readable");
        let (_, shapes) = icon.split_once('>').expect("an icon is an element");
        let shapes = shapes.trim_end().strip_suffix("</svg>").expect("an icon is one element");
        joined.push_str(&format!("<symbol id=\"{name}\" viewBox=\"0 0 24 24\">{shapes}</symbol>\n"));
    }
    joined + "</svg>\n"
}

/// Removes indentation, empty lines and comment lines. No string or template in our own files spans several lines, so
/// nothing else is removed.
fn minified(text: &str) -> String {
    let mut lines = Vec::new();
    let mut in_comment = false;
    for line in text.lines().map(str::trim) {
        let starts = line.starts_with("/*");
        if !(line.is_empty() || line.starts_with("//") || starts || in_comment) {
            lines.push(line);
        }
        if starts || in_comment {
            in_comment = !line.contains("*/");
            assert!(in_comment || line.ends_with("*/"), "a comment ends in the middle of a line: {line}");
        }
    }
    lines.join("\n")
}

fn with_hashed_urls(css: &str, served: &BTreeMap<String, (String, Vec<u8>)>) -> String {
    let mut css = css.to_owned();
    for (path, (name, _)) in served {
        css = css.replace(&format!("url(\"../{path}\")"), &format!("url(\"/static/{name}\")"));
    }
    assert!(!css.contains("url(\"../"), "a stylesheet names a file that static/ does not hold");
    css
}

/// The name omits the folder, because pages contain the names of their files often.
fn hashed_name(path: &str, content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let hash = hex::encode(&digest[..4]);
    let name = path.rsplit('/').next().unwrap_or(path);
    let (stem, extension) = name.rsplit_once('.').expect("every served file has an extension");
    format!("{stem}.{hash}.{extension}")
}

/// The Rust source of the table that `src/assets/mod.rs` includes.
fn table(out: &Path, served: &BTreeMap<String, (String, Vec<u8>)>) -> String {
    let mut source = String::from("static ASSETS: &[Asset] = &[\n");
    for (path, (name, content)) in served {
        let extension = path.rsplit('.').next().unwrap_or_default();
        let file = out.join(name);
        fs::write(&file, content).expect("OUT_DIR is writable");
        let (mut brotli, mut gzip) = ("None".to_owned(), "None".to_owned());
        if COMPRESSIBLE.contains(&extension) {
            brotli = embedded(&file, "br", &compress_brotli(content));
            gzip = embedded(&file, "gz", &compress_gzip(content));
        }
        source.push_str(&format!(
            "    Asset {{ path: {path:?}, name: {name:?}, identity: include_bytes!({:?}), brotli: {brotli}, gzip: {gzip} }},\n",
            file.display().to_string()
        ));
    }
    source.push_str("];\n");
    source
}

fn embedded(file: &Path, extension: &str, content: &[u8]) -> String {
    let path = PathBuf::from(format!("{}.{extension}", file.display()));
    fs::write(&path, content).expect("OUT_DIR is writable");
    format!("Some(include_bytes!({:?}))", path.display().to_string())
}

fn compress_brotli(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    brotli::BrotliCompress(&mut &content[..], &mut out, &params).expect("memory does not fail");
    out
}

fn compress_gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).expect("memory does not fail");
    encoder.finish().expect("memory does not fail")
}
