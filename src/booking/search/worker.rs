//! Writes the words of bookings into the search's index, as long as the program runs. Every server looks; one writes.

use std::sync::Arc;
use std::time::Duration;

use super::store;
use crate::booking::desk::Desk;
use crate::db::Database;
use crate::error::Error;

/// How often a server looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The pause between two parts of the work, so that orders come first.
const PAUSE: Duration = Duration::from_millis(50);

/// Writes for as long as the program runs.
pub async fn keep_indexing(db: Database, desk: Arc<Desk>) {
    let mut was_well = true;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let written = write(&db, &desk).await;
        if let Err(error) = &written
            && was_well
        {
            log::warn!("the search index is not updated until the database is back: {error}");
        }
        was_well = written.is_ok();
    }
}

/// SQLite's writers take turns, so it looks first whether there is anything to do, and lets waiting orders pass.
async fn write(db: &Database, desk: &Desk) -> Result<(), Error> {
    while db.read_primary(store::is_any_due).await? {
        if desk.queue_fill() == 0.0 && db.write(store::write_some).await? == 0 {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
