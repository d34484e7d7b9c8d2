//! Runs `pg_dump` and `pg_restore`, in the versions that fit: see [`programs`].

use std::path::Path;
use std::process::{Command, Stdio};

use super::archive::Archive;
use super::programs::{self, Program};
use super::store;
use super::url::split;
use crate::db::{Database, DatabaseUrl, quoted};
use crate::log_safe::one_line;
use crate::start_error::StartError;

/// The longest that a dump waits for a table that a migration has locked.
const LOCK_WAIT: &str = "--lock-wait-timeout=10s";
/// Leave owners and grants out: the roles may not exist where the dump is restored.
const NO_ROLES: [&str; 2] = ["--no-owner", "--no-privileges"];

/// Dumps a consistent snapshot of one schema into an empty file. It blocks no writer.
pub(super) fn dump(pg_dump: &Program, url: &str, schema: &str, to: &Path) -> Result<(), StartError> {
    let mut program = command(pg_dump);
    // In quotes: `pg_dump` would read a bare name as a pattern.
    program.args(["--format=custom", "--schema", &quoted(schema), LOCK_WAIT]).args(NO_ROLES);
    program.arg("--file").arg(to);
    run(connected(&mut program, url)?).map(drop)
}

/// Restores a dump into an empty schema of that name, in one transaction.
///
/// # Errors
/// One line. Only a dump that cannot be read to its end is called damaged.
pub(super) fn restore(
    pg_restore: &Program,
    url: &str,
    archive: &Archive,
    schema: &str,
) -> Result<(), StartError> {
    let mut program = command(pg_restore);
    program.args(["--single-transaction", "--schema", schema]).args(NO_ROLES);
    let Err(error) = run(connected(program.arg(&archive.path), url)?) else { return Ok(()) };
    read_whole(archive)?;
    Err(StartError::new(format!(
        "{} is intact, but cannot be restored: {error} ({} is of version {})",
        archive.path.display(),
        pg_restore.path.display(),
        pg_restore.major
    )))
}

/// The program that restores a dump into the server of a URL.
pub(super) fn program_for(archive: &Archive, url: &DatabaseUrl) -> Result<Program, StartError> {
    programs::for_restore(programs::needed_for(&archive.path), major_of(url)?)
}

/// Reads a dump to its end, without a database.
fn read_whole(archive: &Archive) -> Result<(), StartError> {
    let mut program = command(&programs::for_reading(programs::needed_for(&archive.path))?);
    program.arg("--file=-").arg(&archive.path).stdout(Stdio::null());
    run(&mut program).map(drop).map_err(|e| archive.is_damaged(&e.to_string()))
}

/// The schema that a dump contains.
pub(super) fn schema(archive: &Archive) -> Result<String, StartError> {
    let pg_restore = programs::for_reading(programs::needed_for(&archive.path))?;
    let contents = run(command(&pg_restore).arg("--list").arg(&archive.path));
    let contents = contents.map_err(|e| archive.is_damaged(&e.to_string()))?;
    // `215; 1259 16386 TABLE public bookings techkraft`
    let schema = contents.lines().find_map(|line| {
        let (schema, table) = line.split_once(" TABLE ")?.1.split_once(' ')?;
        table.starts_with("bookings ").then(|| schema.to_owned())
    });
    schema.ok_or_else(|| archive.is_damaged("there are no bookings in it"))
}

/// The major version of a server.
pub(super) fn major_of(url: &DatabaseUrl) -> Result<u32, StartError> {
    let version = Database::open(url, 1)?.read_primary_blocking(store::server_version)?;
    Ok(u32::try_from(version / 10_000).unwrap_or_default())
}

fn command(program: &Program) -> Command {
    let mut program = Command::new(&program.path);
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
