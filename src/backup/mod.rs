//! Backups and restores. A backup is a consistent snapshot of the database, made while the site sells. Each backup
//! is verified: it is restored into a temporary database and reconciled there.
//!
//! A SQLite backup is a database file; a PostgreSQL backup is a dump in `pg_dump`'s custom format. Standard tools
//! read both. Beside it are its checksum, in the format of `sha256sum`, and for SQLite the secret that signs the
//! tickets. The name of a backup that is not verified yet ends in `.unproved`, and so its companions are named.
//!
//! What the commands print does not belong here: see `commands`.

mod archive;
mod postgres;
mod programs;
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

/// Time stamp in file names, in UTC to the second. Names sort by time.
const STAMP: &str = "%Y%m%dT%H%M%SZ";

/// What to back up, and where.
#[derive(Debug)]
pub struct BackupPlan<'a> {
    pub url: &'a DatabaseUrl,
    /// A folder, in which the file is named after the time, or a file that does not exist yet.
    pub target: &'a Path,
    /// `None` keeps every backup.
    pub retention: Option<Retention>,
    /// The PostgreSQL server for the temporary database of the verification; `None`: the server that is backed up.
    pub prove_on: Option<DatabaseUrl>,
}

/// A verified backup.
#[derive(Debug)]
pub struct Backup {
    pub path: PathBuf,
    pub bytes: u64,
    pub bookings: i64,
    /// How many older backups were removed.
    pub removed: usize,
}

/// The kind of a database and of its backups.
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

    /// The file extension of a backup.
    fn ending(self) -> &'static str {
        match self {
            Self::Sqlite => "db",
            Self::Postgres => "dump",
        }
    }
}

/// Makes a backup, verifies it, and removes backups that are past their retention.
///
/// # Errors
/// One line. If the verification failed, it names the file, which is kept as `.unproved`.
pub fn back_up(plan: &BackupPlan<'_>) -> Result<Backup, StartError> {
    let kind = DatabaseKind::of(plan.url);
    let folder = plan.target.is_dir().then_some(plan.target);
    if plan.retention.is_some() && folder.is_none() {
        return Err(StartError::new(format!(
            "{}: no such folder; --keep and --keep-days need a folder of backups",
            plan.target.display()
        )));
    }
    let proof_on = plan.prove_on.as_ref().unwrap_or(plan.url);
    let pg_dump = match (plan.url, proof_on) {
        (DatabaseUrl::Postgres(_), DatabaseUrl::Postgres(_)) => {
            Some(programs::for_backup(postgres::major_of(plan.url)?, postgres::major_of(proof_on)?)?)
        }
        (DatabaseUrl::Postgres(_), DatabaseUrl::Sqlite(_)) => {
            let wrong = "a PostgreSQL backup cannot be verified in an SQLite file";
            return Err(StartError::setting(
                "BACKUP_PROVE_ON",
                &proof_on.to_string(),
                wrong,
                "name a PostgreSQL server",
            ));
        }
        (DatabaseUrl::Sqlite(_), _) => None,
    };
    let draft = Draft::create(plan.target, &format!("techkraft-{}.{}", stamp(), kind.ending()))?;
    match (plan.url, &pg_dump) {
        (DatabaseUrl::Postgres(url), Some(pg_dump)) => {
            postgres::dump(pg_dump, url, &schema_of(plan.url)?, draft.part())?;
        }
        _ => copy_sqlite(plan.url, draft.part())?,
    }
    let archive = draft.seal(plan.url.file())?;
    let books = match proof::prove(&archive, proof_on) {
        Ok(books) if books.holds() => books,
        Ok(books) => return Err(unproved(&archive, &imbalance(&books))),
        Err(error) => return Err(unproved(&archive, &error.to_string())),
    };
    let archive = archive.accept()?;
    let removed = match (plan.retention, folder) {
        (Some(retention), Some(folder)) => retention::prune(folder, kind, retention)?,
        _ => 0,
    };
    let bookings = books.ticket_types.iter().map(|counts| counts.bookings).sum();
    Ok(Backup { bytes: archive.bytes()?, path: archive.path, bookings, removed })
}

fn unproved(archive: &Archive, why: &str) -> StartError {
    StartError::new(format!("{} was written, but its verification failed: {why}", archive.path.display()))
}

/// Copies what is committed when the copy starts. In WAL mode a reader does not block writers.
fn copy_sqlite(url: &DatabaseUrl, to: &Path) -> Result<(), StartError> {
    // Keep the database's error text: `Error` maps a full disk to "busy", but an operator must see the cause.
    let copied =
        Database::briefly(url, |db| Ok(db.read_primary_blocking(|db| Ok(store::copy_into(db, to)))?))?;
    copied.map_err(|e| StartError::new(format!("{} cannot be copied: {}", url, one_line(&e))))
}

/// The schema that holds the tables: what has to be dumped.
fn schema_of(url: &DatabaseUrl) -> Result<String, StartError> {
    let schema = Database::briefly(url, |db| Ok(db.read_primary_blocking(store::current_schema)?))?;
    schema.ok_or_else(|| {
        let wrong = "its search_path names no existing schema";
        StartError::setting("DATABASE_URL", &url.to_string(), wrong, "name the database to back up")
    })
}

/// What is wrong after a failed reconciliation, with its first violation.
fn imbalance(books: &Reconciliation) -> String {
    let wrong = books.violations.first().map(|it| format!(" ({}: {})", it.what, it.count));
    format!("the counts in it do not add up{}", wrong.unwrap_or_default())
}

fn stamp() -> String {
    Utc::now().format(STAMP).to_string()
}

/// A file system error: the operation, the file and the cause.
fn io_error(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> StartError {
    let message = format!("{} cannot be {what}", path.display());
    move |e| StartError::new(format!("{message}: {e}"))
}

/// The path of a file with a suffix appended.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Syncs a folder's entries to disk, where the system supports it.
fn sync_folder(folder: &Path) -> Result<(), StartError> {
    if cfg!(unix) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        fs::File::open(folder).and_then(|it| it.sync_all()).map_err(io_error("synced", folder))?;
    }
    Ok(())
}
