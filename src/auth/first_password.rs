//! The first password: generated when there is no account, or by `techkraft reset-admin-password`. It opens nothing but
//! the page on which the organizer chooses another one, and ends after a day (OWASP ASVS 5.0, 6.4.1).
//!
//! Without a terminal, a server's output is kept in a log. The password is then written to a file that only
//! this user can read, and the output names the file. It is deleted when the password is changed.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _, stdout};
use std::path::{Path, PathBuf};

use chrono::{NaiveDateTime, TimeDelta, Utc};

use super::USERNAME;
use crate::log_safe::one_line;

/// How long a first password is valid.
const VALID: TimeDelta = TimeDelta::hours(24);

/// When a first password that is made now ends (UTC).
#[must_use]
pub fn ends_at() -> NaiveDateTime {
    Utc::now().naive_utc() + VALID
}

/// When a password ends, from what the database keeps of it; `None` if it is not a first password.
pub(super) fn end(
    hash: &str,
    first_hash: Option<&str>,
    ends_at: Option<NaiveDateTime>,
) -> Option<NaiveDateTime> {
    ends_at.filter(|_| first_hash == Some(hash))
}

/// The text to print about a new first password: the password itself at a terminal, otherwise the file that
/// holds it. `database`: the file of an SQLite database.
#[must_use]
pub fn notice(password: &str, database: Option<&Path>) -> String {
    let place = if stdout().is_terminal() {
        password.to_owned()
    } else {
        let file = file(database);
        match write(&file, password) {
            Ok(()) => format!("in {}", file.display()),
            Err(e) => {
                let (file, e) = (file.display(), one_line(&e));
                return format!(
                    "Password           not saved: {file} cannot be written ({e}); run `techkraft \
                     reset-admin-password` at a terminal"
                );
            }
        }
    };
    format!(
        "Sign in as         {USERNAME}\nPassword           {place}  (good for one day, to choose your own)"
    )
}

/// Deletes the file, if there is one.
pub fn delete(database: Option<&Path>) {
    let file = file(database);
    match fs::remove_file(&file) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            log::warn!("cannot delete {}, which holds an expired password: {e}", file.display());
        }
        _ => {}
    }
}

/// Beside the SQLite database, or in the working folder.
fn file(database: Option<&Path>) -> PathBuf {
    let mut name = database.unwrap_or(Path::new("techkraft")).as_os_str().to_owned();
    name.push(".first-password");
    let file = PathBuf::from(name);
    std::path::absolute(&file).unwrap_or(file)
}

fn write(file: &Path, password: &str) -> io::Result<()> {
    // An earlier first password is over. If its file cannot be deleted, `create_new` refuses to write to it,
    // because it may be a link to somewhere else.
    let _ = fs::remove_file(file);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    writeln!(file, "{password}")?;
    file.sync_all()
}
