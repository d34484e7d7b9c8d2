//! Which `pg_dump` and `pg_restore` to run. A machine often has those of several major versions, and not every one of
//! them fits a server:
//!
//! - `pg_dump` dumps servers of its own version and of earlier ones.
//! - `pg_restore` reads dumps of its own version and of earlier ones. From 17 on it sets `transaction_timeout`, which
//!   servers before 17 do not know.
//!
//! The server's own version is best. It is looked for in the `PATH`, and where packages put it beside others.

use std::env;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::start_error::StartError;

/// The first `pg_restore` that sets `transaction_timeout`.
const SETS_TRANSACTION_TIMEOUT: u32 = 17;

/// Where packages put the programs: folders with a folder for each version, which has a `bin`. Of Debian, Red Hat,
/// Homebrew (two), EDB and Postgres.app.
const PLACES: [&str; 6] = [
    "/usr/lib/postgresql",
    "/usr",
    "/opt/homebrew/opt",
    "/usr/local/opt",
    "/Library/PostgreSQL",
    "/Applications/Postgres.app/Contents/Versions",
];

/// A program and its major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) major: u32,
}

/// Finds the `pg_dump` for a server.
///
/// # Errors
/// One line that names the versions that were found, and the one to install.
pub(super) fn for_dump(server: u32) -> Result<Program, StartError> {
    choose_for_dump(find("pg_dump"), server)
}

/// Finds the `pg_restore` for a dump and a server.
///
/// # Errors
/// As [`for_dump`].
pub(super) fn for_restore(dump: u32, server: u32) -> Result<Program, StartError> {
    choose_for_restore(find("pg_restore"), dump, server)
}

/// Finds the `pg_restore` that reads a dump, whatever it is restored into.
///
/// # Errors
/// As [`for_dump`].
pub(super) fn for_reading(dump: u32) -> Result<Program, StartError> {
    let programs = find("pg_restore");
    let oldest = programs.iter().filter(|it| it.major >= dump).min_by_key(|it| it.major).cloned();
    oldest.ok_or_else(|| missing("pg_restore", &programs, &format!("the dump is of PostgreSQL {dump}"), dump))
}

/// The oldest version of PostgreSQL whose `pg_restore` reads a dump, from the number of the format in its
/// header; 0 if any version reads it. Formats have their own numbers: version 16 writes 1.15, and 17 writes
/// 1.16.
pub(super) fn needed_for(dump: &Path) -> u32 {
    let mut header = [0; 7];
    // `PGDMP`, and the format's major and minor number.
    let is_read = File::open(dump).and_then(|mut file| file.read_exact(&mut header)).is_ok();
    match (is_read, header[6]) {
        (true, 15) => 16,
        (true, 16..) => 17,
        _ => 0,
    }
}

/// The same for a dump that a `pg_dump` will write.
fn format_of(pg_dump: u32) -> u32 {
    if pg_dump >= 16 { pg_dump.min(17) } else { 0 }
}

/// Finds the `pg_dump` for a server, and makes sure that there is a `pg_restore` for the server on which the backup is
/// verified.
///
/// # Errors
/// As [`for_dump`].
pub(super) fn for_backup(server: u32, proof: u32) -> Result<Program, StartError> {
    let dump = for_dump(server)?;
    for_restore(format_of(dump.major), proof)?;
    Ok(dump)
}

fn choose_for_dump(programs: Vec<Program>, server: u32) -> Result<Program, StartError> {
    let best = programs.iter().filter(|it| it.major >= server).min_by_key(|it| it.major).cloned();
    best.ok_or_else(|| missing("pg_dump", &programs, &format!("the server is PostgreSQL {server}"), server))
}

fn choose_for_restore(programs: Vec<Program>, dump: u32, server: u32) -> Result<Program, StartError> {
    let fits = |it: &&Program| {
        it.major >= dump && (it.major < SETS_TRANSACTION_TIMEOUT || server >= SETS_TRANSACTION_TIMEOUT)
    };
    let best = programs.iter().filter(fits).min_by_key(|it| it.major.abs_diff(server)).cloned();
    best.ok_or_else(|| {
        let why = if dump > server {
            format!("the dump is of PostgreSQL {dump} or later, and the server is {server}")
        } else {
            format!("the server is PostgreSQL {server}")
        };
        missing("pg_restore", &programs, &why, dump.max(server))
    })
}

fn missing(name: &str, programs: &[Program], why: &str, wanted: u32) -> StartError {
    let found: Vec<String> =
        programs.iter().map(|it| format!("{} ({})", it.major, it.path.display())).collect();
    let found = if found.is_empty() { "none".into() } else { found.join(", ") };
    StartError::new(format!(
        "{why}, and no {name} that was found here is compatible; found: {found}; install PostgreSQL's client programs of version {wanted} (Debian: postgresql-client-{wanted})"
    ))
}

/// All programs of a name: those in the `PATH` first.
fn find(name: &str) -> Vec<Program> {
    let path = env::var_os("PATH").unwrap_or_default();
    let beside = PLACES.iter().flat_map(|folder| {
        let versions = fs::read_dir(folder).into_iter().flatten().flatten();
        let is_versioned =
            |name: &str| name.starts_with(|c: char| c.is_ascii_digit()) || name.starts_with("p");
        versions
            .filter(move |it| is_versioned(&it.file_name().to_string_lossy()))
            .map(|it| it.path().join("bin"))
    });
    let mut programs: Vec<Program> = Vec::new();
    for path in env::split_paths(&path).chain(beside).map(|folder| folder.join(name)) {
        if !programs.iter().any(|known| known.path == path)
            && let Some(major) = major_of(&path)
        {
            programs.push(Program { path, major });
        }
    }
    programs
}

/// Asks a program for its version: `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major_of(program: &Path) -> Option<u32> {
    if !program.is_file() {
        return None;
    }
    let output =
        Command::new(program).arg("--version").env("LC_ALL", "C").stdin(Stdio::null()).output().ok()?;
    parse_major(&String::from_utf8_lossy(&output.stdout))
}

fn parse_major(text: &str) -> Option<u32> {
    let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(majors: &[u32]) -> Vec<Program> {
        majors.iter().map(|major| Program { path: format!("/{major}/bin").into(), major: *major }).collect()
    }

    #[test]
    fn the_servers_own_version_is_best_and_then_the_nearest_that_works() {
        for (found, server, chosen) in [
            (&[17, 15][..], 15, Some(15)),
            (&[14, 17, 18], 15, Some(17)),
            (&[16, 15], 16, Some(16)),
            (&[14], 15, None),
            (&[], 15, None),
        ] {
            let dump = choose_for_dump(programs(found), server).map(|it| it.major);
            assert_eq!(dump.as_ref().ok().copied(), chosen, "{found:?} {server}");
        }
        for (found, dump, server, chosen) in [
            (&[17, 15][..], 0, 15, Some(15)),
            (&[17, 18], 0, 15, None),
            (&[17, 14], 0, 15, Some(14)),
            (&[16], 0, 15, Some(16)),
            (&[15, 16], 16, 15, Some(16)),
            (&[15], 16, 15, None),
            (&[15, 17], 17, 15, None),
            (&[18], 17, 17, Some(18)),
            (&[15, 18], 0, 18, Some(18)),
        ] {
            let restore = choose_for_restore(programs(found), dump, server).map(|it| it.major);
            assert_eq!(restore.as_ref().ok().copied(), chosen, "{found:?} {dump} {server}");
        }
    }

    #[test]
    fn what_is_missing_is_named_and_nothing_is_called_damaged() {
        let error = choose_for_restore(programs(&[17, 18]), 0, 15).expect_err("none fits").to_string();
        for part in ["PostgreSQL 15", "17 (/17/bin), 18 (/18/bin)", "postgresql-client-15"] {
            assert!(error.contains(part) && !error.contains("damaged"), "{error}");
        }
        let error = choose_for_dump(Vec::new(), 16).expect_err("none is there").to_string();
        assert!(error.contains("found: none") && error.contains("postgresql-client-16"), "{error}");
    }

    #[test]
    fn a_version_is_read_as_packages_print_it() {
        for (text, major) in [
            ("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("pg_restore (PostgreSQL) 17.2\n", Some(17)),
            ("pg_dump (PostgreSQL) 18beta1\n", Some(18)),
            ("pg_dump (EnterpriseDB) 16.4.1", Some(16)),
            ("not a program", None),
        ] {
            assert_eq!(parse_major(text), major, "{text}");
        }
    }
}
