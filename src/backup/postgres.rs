//! Runs `pg_dump` and `pg_restore`. Their major version must be the server's or later.

use std::path::Path;
use std::process::{Command, Stdio};

use super::archive::Archive;
use super::url::split;
use crate::log_safe::one_line;
use crate::start_error::StartError;

/// The longest that a dump waits for a table that a migration has locked.
const LOCK_WAIT: &str = "--lock-wait-timeout=10s";
/// Leave owners and grants out: the roles may not exist where the dump is restored.
const NO_ROLES: [&str; 2] = ["--no-owner", "--no-privileges"];

/// Dumps a consistent snapshot of one schema into an empty file. It blocks no writer.
pub(super) fn dump(url: &str, schema: &str, to: &Path) -> Result<(), StartError> {
    let mut program = program("pg_dump");
    program.args(["--format=custom", "--schema", &exactly(schema), LOCK_WAIT]).args(NO_ROLES);
    program.arg("--file").arg(to);
    run(connected(&mut program, url)?).map(drop)
}

/// Restores a dump into an empty schema of that name, in one transaction.
pub(super) fn restore(url: &str, archive: &Archive, schema: &str) -> Result<(), StartError> {
    let mut program = program("pg_restore");
    program.args(["--single-transaction", "--schema", schema]).args(NO_ROLES);
    run(connected(program.arg(&archive.path), url)?).map(drop)
}

/// The schema that a dump contains.
pub(super) fn schema(archive: &Archive) -> Result<String, StartError> {
    let contents = run(program("pg_restore").arg("--list").arg(&archive.path));
    let contents = contents.map_err(|e| archive.is_damaged(&e.to_string()))?;
    // `215; 1259 16386 TABLE public bookings techkraft`
    let schema = contents.lines().find_map(|line| {
        let (schema, table) = line.split_once(" TABLE ")?.1.split_once(' ')?;
        table.starts_with("bookings ").then(|| schema.to_owned())
    });
    schema.ok_or_else(|| archive.is_damaged("there are no bookings in it"))
}

/// Quotes a name so that `pg_dump` does not read it as a pattern.
fn exactly(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn program(name: &str) -> Command {
    let mut program = Command::new(name);
    // Never prompt for a password, and keep messages in English.
    program.arg("--no-password").env("LC_ALL", "C").stdin(Stdio::null());
    program
}

fn connected<'a>(program: &'a mut Command, url: &str) -> Result<&'a mut Command, StartError> {
    let split = split(url)?;
    program.arg("--dbname").arg(split.url);
    if let Some(password) = split.password {
        program.env("PGPASSWORD", password);
    }
    Ok(program)
}

/// Runs a program and returns its standard output.
fn run(program: &mut Command) -> Result<String, StartError> {
    let name = program.get_program().to_string_lossy().into_owned();
    let output = program.output().map_err(|e| {
        StartError::new(format!("{name} cannot be run: {e}; install PostgreSQL's client programs"))
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = said.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join(" ");
    Err(StartError::new(format!("{name} failed: {}", one_line(&said))))
}
