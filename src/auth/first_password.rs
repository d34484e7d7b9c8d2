//! The first password: generated when there is no account, or by `techkraft reset-admin-password`. It opens nothing but
//! the page on which the organizer chooses another one, and ends after a day (OWASP ASVS 5.0, 6.4.1).
//!
//! Where nobody looks at a terminal, what a server prints is kept in a log. There the password is in a file that only
//! this user can read, and the file is deleted when the password is changed.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _, stdout};
use std::path::{Path, PathBuf};

use chrono::{NaiveDateTime, TimeDelta, Utc};

use super::USERNAME;
use crate::log_safe::one_line;

/// From when it is made until it ends.
const VALID: TimeDelta = TimeDelta::hours(24);

/// When a first password that is made now ends (UTC).
#[must_use]
pub fn ends_at() -> NaiveDateTime {
    Utc::now().naive_utc() + VALID
}

/// When a password ends, by what the database keeps of it; `None` if it is not the first one.
pub(super) fn end(
    hash: &str,
    first_hash: Option<&str>,
    ends_at: Option<NaiveDateTime>,
) -> Option<NaiveDateTime> {
    ends_at.filter(|_| first_hash == Some(hash))
}

/// What is printed about a new first password: itself at a terminal, and otherwise in which file it is. `database`: the
/// file of an SQLite database.
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
                    "Password           nowhere: {file} cannot be written ({e}); run `techkraft \
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
            log::warn!("{} holds a password that is over, and cannot be deleted: {e}", file.display());
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
    // One of before is over. What is not deleted is not written to either: it may be a link to somewhere else.
    let _ = fs::remove_file(file);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    writeln!(file, "{password}")?;
    file.sync_all()
}
