//! Does the jobs on all bookings of a concert, as long as the program runs. Every server looks for jobs; the
//! first one that takes a job does it.

use std::sync::Arc;
use std::time::Duration;

use super::store::{self, JobProgress};
use crate::booking::desk::Desk;
use crate::booking::release::announce;
use crate::db::Database;
use crate::error::Error;
use crate::events::board::Board;
use crate::outbox::wakeup::Wakeup;

/// How often a server looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two parts of a job, so that bookings of other concerts get their turn.
const PAUSE: Duration = Duration::from_millis(10);

/// Does jobs for as long as the program runs.
pub async fn keep_working(db: Database, board: Arc<Board>, desk: Arc<Desk>, outbox_wakeup: Arc<Wakeup>) {
    let mut was_well = true;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let worked = work(&db, &board, &desk, &outbox_wakeup).await;
        if let Err(error) = &worked
            && was_well
        {
            log::warn!("a bulk job on a concert's bookings failed and will be retried: {error}");
        }
        was_well = worked.is_ok();
    }
}

/// Does all jobs that no other server is doing. SQLite's writers take turns, so it looks first whether there
/// is anything to do.
async fn work(db: &Database, board: &Board, desk: &Desk, wakeup: &Wakeup) -> Result<(), Error> {
    while db.read_primary(store::is_any_due).await? {
        let Some(mut job) = db.write(store::take).await? else { return Ok(()) };
        loop {
            let (progress, worked) = db
                .write(move |db| {
                    let progress = store::work(db, &mut job)?;
                    Ok((progress, job))
                })
                .await?;
            job = worked;
            match progress {
                JobProgress::Going { stock } => {
                    announce(board, desk, wakeup, &stock);
                    wakeup.notify();
                }
                JobProgress::Finished => {
                    log::info!("a job on the bookings of a concert is done: {}", job.words());
                    break;
                }
                JobProgress::Lost => break,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}
