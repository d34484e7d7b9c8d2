//! SQLite's write-ahead log: it is kept short, and a database file that needs one says so.
//!
//! SQLite writes the log back into the database by itself, but restarts it only in a moment in which nobody reads.
//! Where one reader or another always reads, the log would grow until the disk is full.
//!
//! While a server runs, what was sold last is in the log alone. Somebody may copy the database file without it, and
//! SQLite would open the copy without a word. So the file carries a mark, in its `user_version`: [`LogMark::NeedsLog`]
//! is written back into the file itself, and [`LogMark::Whole`] then only into the log. A reader of the file
//! with its log, such as SQLite's own backup, sees that it is whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{DatabaseUrl, WriteTurn, connect};
use crate::db::{Database, Db};
use crate::start_error::StartError;

/// How often the log's length and the mark are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A log of this length, in bytes, is restarted. A rush writes about as much in a second.
const LONG: u64 = 64 << 20;
/// The length of a page, in bytes: SQLite's default.
const PAGE: u64 = 4096;
/// Writers wait while the log waits for the last reader, so it is tried for this long only.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 100";
/// The time between two marks of the file. In a rush the log is written back every second.
const MARK_EVERY: Duration = Duration::from_secs(10);

/// `user_version` in the first page of a database file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LogMark {
    NeedsLog = 1,
    Whole = 2,
}

/// Restarts the log whenever it is long, and keeps the file marked, as long as the program runs. Does nothing on
/// PostgreSQL.
///
/// # Errors
/// When the system has no thread for it.
pub fn keep_short(db: &Database) -> Result<(), StartError> {
    let Some(file) = db.file().map(ToOwned::to_owned) else { return Ok(()) };
    let mut marker = Marker { turn: db.turn.clone(), marked_at: None, next: Instant::now() };
    let keep = move || {
        loop {
            // After a failure both are tried again: the mark after `MARK_EVERY`, the restart after `LOOK_EVERY`.
            drop(marker.mark_when_due(&file));
            thread::sleep(LOOK_EVERY);
            if length(&log_of(&file)) >= LONG {
                drop(restart_if_long(&file));
            }
        }
    };
    let spawned = thread::Builder::new().name("wal".into()).spawn(keep);
    spawned.map(drop).map_err(|e| StartError::new(format!("cannot start the log's thread: {e}")))
}

/// Restarts the log, on a separate connection with its own busy time-out. A restarted log is written from its start
/// again, but its file stays as long as it was: after one long log the file says nothing any more.
fn restart_if_long(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut sqlite = SqliteConnection::establish(&file.to_string_lossy())?;
    if length_in_use(&mut sqlite)? >= LONG {
        restart(&mut sqlite)?;
    }
    Ok(())
}

/// How many bytes of pages the log holds. This takes no lock and writes nothing back.
fn length_in_use(sqlite: &mut SqliteConnection) -> QueryResult<u64> {
    let log = diesel::sql_query("PRAGMA wal_checkpoint(NOOP)").get_result::<Checkpoint>(sqlite)?.log;
    Ok(u64::try_from(log).unwrap_or(0) * PAGE)
}

/// Writers wait meanwhile, for as long as [`BUSY_TIMEOUT`] allows.
fn restart(sqlite: &mut SqliteConnection) -> QueryResult<()> {
    sqlite.batch_execute(&format!("{BUSY_TIMEOUT}; PRAGMA wal_checkpoint(RESTART)"))
}

/// Marks the file again whenever the log was written back into it.
struct Marker {
    turn: WriteTurn,
    /// The file's modification time when it had the mark. It changes only when the log is written back.
    marked_at: Option<SystemTime>,
    next: Instant,
}

impl Marker {
    fn mark_when_due(&mut self, file: &Path) -> Result<(), Box<dyn std::error::Error>> {
        if Instant::now() < self.next || (self.marked_at.is_some() && modified(file) == self.marked_at) {
            return Ok(());
        }
        self.next = Instant::now() + MARK_EVERY;
        self.marked_at = None;
        let mut sqlite = SqliteConnection::establish(&file.to_string_lossy())?;
        sqlite.batch_execute(BUSY_TIMEOUT)?;
        let write = |sqlite: &mut SqliteConnection, mark| {
            let _turn = self.turn.wait();
            set(sqlite, mark)
        };
        write(&mut sqlite, LogMark::NeedsLog)?;
        let done = diesel::sql_query("PRAGMA wal_checkpoint(PASSIVE)").get_result::<Checkpoint>(&mut sqlite);
        let marked_at = modified(file);
        write(&mut sqlite, LogMark::Whole)?;
        // A reader of an older state keeps the log from being written back.
        self.marked_at = marked_at.filter(|_| done.is_ok_and(|done| done.log == done.checkpointed));
        Ok(())
    }
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    log: i32,
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

#[derive(QueryableByName)]
struct UserVersion {
    #[diesel(sql_type = Integer)]
    user_version: i32,
}

/// Refuses a database file that was separated from its log.
///
/// # Errors
/// One line that says what is missing.
pub(super) fn check(url: &DatabaseUrl) -> Result<(), StartError> {
    match url.file() {
        Some(file) if lacks_log(file) => {
            let wrong = format!(
                "{} is missing, and the latest bookings with it: the file was copied, or its program was killed, before they were written to it",
                log_of(file).display()
            );
            let hint = "put that file back beside it, or restore a backup; `techkraft backup` copies a database while it is in use";
            Err(StartError::setting("DATABASE_URL", &url.to_string(), &wrong, hint))
        }
        _ => Ok(()),
    }
}

/// Whether a database file has a log beside it, with something in it.
#[must_use]
pub fn has_log(file: &Path) -> bool {
    length(&log_of(file)) > 0
}

/// Whether a database file needs a log that is not there.
#[must_use]
pub fn lacks_log(file: &Path) -> bool {
    is_marked(file) && !has_log(file)
}

/// Writes the second mark if it is missing. A server that was killed between its two marks leaves a whole
/// file with the first mark, and the log beside it. The next program that opens the file must not remove that
/// log before the second mark is written.
pub(super) fn acknowledge(url: &DatabaseUrl, db: &mut Db) -> QueryResult<()> {
    let (Some(file), Db::Sqlite(sqlite)) = (url.file(), db) else { return Ok(()) };
    let needs_second = is_marked(file) && user_version(sqlite)? == LogMark::NeedsLog as i32;
    if needs_second { set(sqlite, LogMark::Whole) } else { Ok(()) }
}

/// Writes the log back and, if nobody else has the database open, removes it: the file is all there is. Every other
/// connection of this process is closed by now.
pub(super) fn finish(url: &DatabaseUrl) -> Result<(), Box<dyn std::error::Error>> {
    let mut db = connect(url)?;
    acknowledge(url, &mut db)?;
    db.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

fn user_version(sqlite: &mut SqliteConnection) -> QueryResult<i32> {
    let found = diesel::sql_query("PRAGMA user_version").get_result::<UserVersion>(sqlite)?;
    Ok(found.user_version)
}

fn set(sqlite: &mut SqliteConnection, mark: LogMark) -> QueryResult<()> {
    sqlite.batch_execute(&format!("PRAGMA user_version = {}", mark as i32))
}

/// Whether the file itself, without its log, carries the first mark. SQLite reads it, because a process that
/// opens and closes the file by itself loses every lock that its connections hold on the file, and the next
/// program that closes the database removes the log (<https://www.sqlite.org/howtocorrupt.html>, section
/// 2.2).
fn is_marked(file: &Path) -> bool {
    let path = utf8_percent_encode(&file.to_string_lossy(), NON_ALPHANUMERIC).to_string();
    let found = SqliteConnection::establish(&format!("file:{path}?mode=ro&immutable=1"))
        .ok()
        .and_then(|mut sqlite| user_version(&mut sqlite).ok());
    found == Some(LogMark::NeedsLog as i32)
}

fn log_of(file: &Path) -> PathBuf {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |file| file.len())
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|file| file.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restarted_log_is_short_though_its_file_is_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("test.db");
        let mut sqlite = SqliteConnection::establish(&file.to_string_lossy()).expect("a database");
        let write = |sqlite: &mut SqliteConnection, sql| sqlite.batch_execute(sql).expect("written");
        write(&mut sqlite, "PRAGMA journal_mode = WAL; CREATE TABLE texts (text TEXT)");
        write(&mut sqlite, "INSERT INTO texts VALUES (zeroblob(1000000))");
        let (in_use, in_file) = (length_in_use(&mut sqlite).expect("a length"), length(&log_of(&file)));
        assert!(in_use > 1_000_000 && in_file > in_use, "{in_use} of {in_file}");

        restart(&mut sqlite).expect("nobody reads");
        write(&mut sqlite, "INSERT INTO texts VALUES ('x')");
        assert_eq!(length(&log_of(&file)), in_file);
        let in_use = length_in_use(&mut sqlite).expect("a length");
        assert!((1..100_000).contains(&in_use), "{in_use} of {in_file}");
    }
}
