//! systemd checks our units.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::deploy::output;

const UNITS: &str = "deploy/systemd";
/// `systemd-analyze security` calls an exposure of at most 2 "OK", its best grade.
const EXPOSURE_MAX: f64 = 2.0;

/// A root folder with only systemd's own units and ours, so that the result does not depend on this machine.
struct Machine(TempDir);

impl Machine {
    fn with_our_units() -> Self {
        let machine = Self(tempfile::tempdir().expect("a temporary folder"));
        let root = machine.0.path();
        let binary = root.join("usr/local/bin/techkraft");
        for folder in ["usr/local/bin", "usr/lib/systemd", "etc/systemd/system"] {
            fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        std::os::unix::fs::symlink("usr/lib", root.join("lib")).expect("a link");
        fs::write(&binary, "#!/bin/sh\n").expect("written");
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).expect("it can be run");
        let own = ["/usr/lib/systemd/system", "/lib/systemd/system"].into_iter();
        let own = own.map(Path::new).find(|it| it.exists()).expect("systemd is installed");
        output(Command::new("cp").arg("-r").arg(own).arg(root.join("usr/lib/systemd/")));
        for unit in units() {
            fs::copy(Path::new(UNITS).join(&unit), root.join("etc/systemd/system").join(&unit))
                .expect("copied");
        }
        machine
    }

    fn analyze(&self, what: &str) -> Command {
        let mut analyze = Command::new("systemd-analyze");
        analyze
            .arg(what)
            .arg("--root")
            .arg(self.0.path())
            .env("SYSTEMD_COLORS", "0")
            .env("LC_ALL", "C.UTF-8");
        analyze
    }
}

fn units() -> Vec<String> {
    let names = ["service", "socket", "timer"].map(|kind| {
        let ending = format!(".{kind}");
        crate::deploy::stems(UNITS, &ending).into_iter().map(move |stem| format!("{stem}{ending}"))
    });
    names.into_iter().flatten().collect()
}

#[test]
fn systemd_understands_every_line_of_the_units() {
    let machine = Machine::with_our_units();
    let said = output(machine.analyze("verify").arg("--man=no").args(units()));
    // systemd only warns about a line that it does not know, so there must be no output at all.
    assert!(said.trim().is_empty(), "{said}");
}

#[test]
fn services_may_do_little_besides_what_they_are_for() {
    let machine = Machine::with_our_units();
    for stem in crate::deploy::stems(UNITS, ".service") {
        let service = format!("{stem}.service");
        let table = output(machine.analyze("security").args(["--offline=true", "--no-pager", &service]));
        let verdict = table.lines().find(|line| line.contains("Overall exposure level")).expect("a verdict");
        println!("{verdict}");
        let level = verdict.split_once(": ").expect("a level").1.split_whitespace().next().expect("a number");
        assert!(level.parse::<f64>().expect("a number") <= EXPOSURE_MAX, "{table}");
    }
}

/// The program knows every command and flag that a unit uses.
#[test]
fn unit_files_use_existing_commands_and_flags() {
    for stem in crate::deploy::stems(UNITS, ".service") {
        let unit = crate::deploy::read(format!("{UNITS}/{stem}.service")).replace("\\\n", " ");
        let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command");
        let words: Vec<&str> = start.split_whitespace().skip(1).collect();
        let help = output(Command::new(testkit::binary()).args([words[0], "--help"]));
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(flag), "{stem}: {flag}");
        }
    }
}
