//! Backups: a copy of all that the site knows, of one moment, made while it sells; each is proved before it
//! counts, by restoring it into a throwaway place and counting the books there. And the way back.
//!
//! A backup of SQLite is a database file, one of PostgreSQL a dump in `pg_dump`'s custom format: nothing that
//! only this program reads. Beside it stand its checksum, as `sha256sum` writes it, and on SQLite the secret
//! that its tickets are signed with. Until it is proved its name ends in `.unproved`.

mod archive;
mod postgres;
mod proof;
mod restoration;
mod retention;
mod store;
mod url;

use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;

use self::archive::{Archive, Draft};
pub use self::restoration::{Restored, restore};
pub use self::retention::Retention;
use crate::db::Database;
use crate::db::DatabaseUrl;
use crate::log_safe::one_line;
use crate::reconciliation::Reconciliation;
use crate::start_error::StartError;

/// Names that sort by time; in UTC, to the second.
const STAMP: &str = "%Y%m%dT%H%M%SZ";

/// What to back up, and where to.
#[derive(Debug)]
pub struct BackupPlan<'a> {
    pub url: &'a DatabaseUrl,
    /// A folder, where it is named after its time, or a file that is not there yet.
    pub target: &'a Path,
    /// `None`: every backup is kept.
    pub retention: Option<Retention>,
    /// The PostgreSQL on which the proof gets a database of its own; `None`: the one that is backed up.
    pub prove_on: Option<DatabaseUrl>,
}

/// A backup that is proved.
#[derive(Debug)]
pub struct Backup {
    pub path: PathBuf,
    pub bytes: u64,
    pub bookings: i64,
    /// Older backups that were removed.
    pub removed: usize,
}

/// Which of the two a database and a backup are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DatabaseKind {
    Sqlite,
    Postgres,
}

impl DatabaseKind {
    fn of(url: &DatabaseUrl) -> Self {
        match url {
            DatabaseUrl::Sqlite(_) => Self::Sqlite,
            DatabaseUrl::Postgres(_) => Self::Postgres,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// How the name of a backup ends.
    fn ending(self) -> &'static str {
        match self {
            Self::Sqlite => "db",
            Self::Postgres => "dump",
        }
    }
}

/// Makes a backup, proves it, and removes those that need not be kept any longer.
///
/// # Errors
/// One line; when the proof failed it names the file, which is kept as `.unproved`.
pub fn back_up(plan: &BackupPlan<'_>) -> Result<Backup, StartError> {
    let kind = DatabaseKind::of(plan.url);
    if plan.url.file().is_some_and(|file| !file.exists()) {
        let url = plan.url.to_string();
        return Err(StartError::setting(
            "DATABASE_URL",
            &url,
            "no such file",
            "name the database to back up",
        ));
    }
    let folder = plan.target.is_dir().then_some(plan.target);
    if plan.retention.is_some() && folder.is_none() {
        return Err(StartError::new(format!(
            "{}: no such folder; --keep and --keep-days are for a folder of backups",
            plan.target.display()
        )));
    }
    let draft = Draft::create(plan.target, &format!("techkraft-{}.{}", stamp(), kind.ending()))?;
    match plan.url {
        DatabaseUrl::Sqlite(_) => copy_sqlite(plan.url, draft.part())?,
        DatabaseUrl::Postgres(url) => postgres::dump(url, &schema_of(plan.url)?, draft.part())?,
    }
    let archive = draft.seal(plan.url.file())?;
    let books = match proof::prove(&archive, plan.prove_on.as_ref().unwrap_or(plan.url)) {
        Ok(books) if books.holds() => books,
        Ok(books) => return Err(unproved(&archive, &last_line(&books))),
        Err(error) => return Err(unproved(&archive, &error.to_string())),
    };
    let archive = archive.accept()?;
    let removed = match (plan.retention, folder) {
        (Some(retention), Some(folder)) => retention::prune(folder, kind, retention)?,
        _ => 0,
    };
    let bookings = books.ticket_types.iter().map(|tier| tier.bookings).sum();
    Ok(Backup { bytes: archive.bytes()?, path: archive.path, bookings, removed })
}

fn unproved(archive: &Archive, why: &str) -> StartError {
    StartError::new(format!("{} was written, but it is not proved: {why}", archive.path.display()))
}

/// SQLite copies what was committed when it began, and nobody waits for it: in WAL mode who reads holds up
/// no writer.
fn copy_sqlite(url: &DatabaseUrl, to: &Path) -> Result<(), StartError> {
    let db = Database::open(url, 1)?;
    // The database's own words: to a visitor a full disk is a busy server, to an operator it is a full disk.
    let copied = db.read_primary_blocking(|db| Ok(store::copy_into(db, to)))?;
    copied.map_err(|e| StartError::new(format!("{} cannot be copied: {}", url, one_line(&e))))
}

/// Where a database's tables are: what has to be dumped.
fn schema_of(url: &DatabaseUrl) -> Result<String, StartError> {
    let schema = Database::open(url, 1)?.read_primary_blocking(store::current_schema)?;
    schema.ok_or_else(|| {
        let wrong = "its search_path names no schema that is there";
        StartError::setting("DATABASE_URL", &url.to_string(), wrong, "name the database to back up")
    })
}

/// The verdict of a reconciliation, with the first thing that is wrong.
fn last_line(books: &Reconciliation) -> String {
    let wrong = books.violations.first().map(|it| format!(" ({}: {})", it.what, it.count));
    format!("the counts in it do not add up{}", wrong.unwrap_or_default())
}

fn stamp() -> String {
    Utc::now().format(STAMP).to_string()
}

/// A failure of the file system: what was to be done with which file, and why it could not.
fn io_error(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> StartError {
    let message = format!("{} cannot be {what}", path.display());
    move |e| StartError::new(format!("{message}: {e}"))
}

/// The name of what stands beside a file.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Writes through to the disk what a folder says of its files. Not every system has that.
fn sync_folder(folder: &Path) -> Result<(), StartError> {
    if cfg!(unix) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        fs::File::open(folder).and_then(|it| it.sync_all()).map_err(io_error("written through", folder))?;
    }
    Ok(())
}
