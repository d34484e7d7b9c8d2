//! PostgreSQL's own programs, which make and read its dumps. They must be of the server's major version or a
//! later one.

use std::path::Path;
use std::process::{Command, Stdio};

use super::archive::Archive;
use super::url::split;
use crate::log_safe::one_line;
use crate::start_error::StartError;

/// A dump waits no longer for a table that a migration holds.
const LOCK_WAIT: &str = "--lock-wait-timeout=10s";
/// The roles of the database that was dumped need not exist where it is restored.
const NOBODYS: [&str; 2] = ["--no-owner", "--no-privileges"];

/// Writes one schema of a database into an empty file, as it was at one moment. Nobody waits for it.
pub(super) fn dump(url: &str, schema: &str, to: &Path) -> Result<(), StartError> {
    let mut program = program("pg_dump");
    program.args(["--format=custom", "--schema", &exactly(schema), LOCK_WAIT]).args(NOBODYS);
    program.arg("--file").arg(to);
    run(connected(&mut program, url)?).map(drop)
}

/// Brings all that a dump holds into an empty schema of that name, or nothing.
pub(super) fn restore(url: &str, archive: &Archive, schema: &str) -> Result<(), StartError> {
    let mut program = program("pg_restore");
    program.args(["--single-transaction", "--schema", schema]).args(NOBODYS);
    run(connected(program.arg(&archive.path), url)?).map(drop)
}

/// The schema that a dump is of.
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

/// A name that stands for itself where patterns are taken.
fn exactly(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn program(name: &str) -> Command {
    let mut program = Command::new(name);
    // Nobody is there to be asked, and messages are for one line.
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

/// What it has printed.
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
