//! Keeps the write-ahead log of SQLite short.
//!
//! SQLite writes the log back into the database by itself, but restarts it only in a moment in which nobody reads.
//! Where one reader or another always reads, the log would grow until the disk is full.

use std::path::Path;
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

use crate::db::Database;
use crate::start_error::StartError;

/// How often the log's length is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A log of this length, in bytes, is restarted. A rush writes about as much in a second.
const LONG: u64 = 64 << 20;
/// Writers wait while the log waits for the last reader, so it is tried for this long only.
const PATIENCE: &str = "PRAGMA busy_timeout = 100";

/// Restarts the log whenever it is long, as long as the program runs. Does nothing on PostgreSQL.
///
/// # Errors
/// When the system has no thread for it.
pub fn keep_short(db: &Database) -> Result<(), StartError> {
    let Some(file) = db.file().map(ToOwned::to_owned) else { return Ok(()) };
    let mut log = file.clone().into_os_string();
    log.push("-wal");
    let keep = move || {
        loop {
            thread::sleep(LOOK_EVERY);
            let length = std::fs::metadata(&log).map_or(0, |log| log.len());
            if length >= LONG {
                // A failure is tried again in a second.
                drop(restart(&file));
            }
        }
    };
    let spawned = thread::Builder::new().name("wal".into()).spawn(keep);
    spawned.map(drop).map_err(|e| StartError::new(format!("cannot start the log's thread: {e}")))
}

/// On a separate connection with its own busy time-out.
fn restart(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut sqlite = SqliteConnection::establish(&file.to_string_lossy())?;
    sqlite.batch_execute(&format!("{PATIENCE}; PRAGMA wal_checkpoint(RESTART)"))?;
    Ok(())
}
