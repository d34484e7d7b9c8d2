//! The previous release, built from the commit that `deploy/previous-release` names.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Settings that its servers need in addition to those of every server, because the tests' visitors are quicker than
/// people.
pub const SETTINGS: [(&str, &str); 1] = [("FORM_MIN_AGE_MS", "0")];

const NAMED_IN: &str = "deploy/previous-release";

const CARGO_CONFIG: &str = ".cargo/config.toml";
/// The last part of both manifests begins here: how tests are compiled.
const DEV_PROFILE: &str = "[profile.dev]\n";

/// The binary of the previous release. It is built once, and reuses this build's dependencies where they are the
/// same.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build)
}

fn build() -> PathBuf {
    let named = fs::read_to_string(NAMED_IN).expect(NAMED_IN);
    let (version, commit) = named.trim().split_once(' ').expect("its version and its commit");
    let target = crate::target();
    let folder = target.join("previous-release");
    fs::create_dir_all(&folder).expect("a folder");
    // A test in another process may be building it.
    let turn = File::create(folder.join("lock")).expect("a file");
    turn.lock().expect("a turn");
    let binary = folder.join(format!("techkraft-{commit}"));
    if !binary.exists() {
        println!("building release {version} of commit {commit}");
        let source = folder.join("source");
        check_out(commit, &source);
        compile_as_here(&source);
        compile(&source, target, &folder);
        // Renamed last, so that only a finished build is found the next time.
        fs::rename(folder.join("debug/techkraft"), &binary).expect("the binary");
    }
    binary
}

fn check_out(commit: &str, source: &Path) {
    let archive = || Command::new("git").args(["archive", commit]).output().expect("git runs");
    let mut output = archive();
    if !output.status.success() {
        // Fetches the history, which a shallow clone lacks.
        let _ = Command::new("git").args(["fetch", "--quiet", "--unshallow"]).status();
        output = archive();
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{NAMED_IN} names {commit}, which this clone does not have: {said}");
    let _ = fs::remove_dir_all(source);
    fs::create_dir_all(source).expect("a folder");
    let mut tar =
        Command::new("tar").arg("-x").current_dir(source).stdin(Stdio::piped()).spawn().expect("tar");
    tar.stdin.take().expect("a pipe").write_all(&output.stdout).expect("unpacked");
    assert!(tar.wait().expect("it ends").success());
}

/// Dependencies that are compiled for these tests are used as they are, if both releases compile them with the same
/// settings. That takes a minute instead of five.
fn compile_as_here(source: &Path) {
    fs::copy(CARGO_CONFIG, source.join(CARGO_CONFIG)).expect(CARGO_CONFIG);
    let [old, own] = [source.join("Cargo.toml"), "Cargo.toml".into()]
        .map(|file: PathBuf| fs::read_to_string(file).expect("Cargo.toml"));
    let (before, _) = old.split_once(DEV_PROFILE).expect(DEV_PROFILE);
    let (_, profile) = own.split_once(DEV_PROFILE).expect(DEV_PROFILE);
    fs::write(source.join("Cargo.toml"), [before, DEV_PROFILE, profile].concat()).expect("Cargo.toml");
}

fn compile(source: &Path, target: &Path, folder: &Path) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--bin", "techkraft", "--target-dir"]).arg(folder);
    // With a test, Cargo chooses the features of dependencies that tests need.
    cargo.args(["--test", "memory"]);
    // Cargo sets variables about the tests' package, which would make it rebuild some crates.
    let is_of_package =
        |name: &str| ["PKG_", "MANIFEST_"].iter().any(|it| name.starts_with(&format!("CARGO_{it}")));
    for (name, _) in std::env::vars().filter(|(name, _)| is_of_package(name)) {
        cargo.env_remove(name);
    }
    // The lints are of no interest here.
    cargo.env_remove("RUSTC_WORKSPACE_WRAPPER");
    cargo.env("CARGO_BUILD_BUILD_DIR", target).current_dir(source);
    assert!(cargo.status().expect("cargo runs").success(), "it cannot be built");
}
