//! Ends the holds whose time is over. Every server looks; the first one does it.

use std::sync::Arc;
use std::time::Duration;

use super::{announce, store};
use crate::booking::desk::Desk;
use crate::db::Database;
use crate::events::board::Board;
use crate::outbox::wakeup::Wakeup;

/// How often a server looks. Tickets are back on sale within a second of the end of their hold.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Holds that are ended in one transaction.
const AT_ONCE: i32 = 200;

/// Ends holds for as long as the program runs.
pub async fn keep_expiring(db: Database, board: Arc<Board>, desk: Arc<Desk>, outbox_wakeup: Arc<Wakeup>) {
    let mut was_well = true;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let expired = expire(&db, &board, &desk, &outbox_wakeup).await;
        if let Err(error) = &expired
            && was_well
        {
            log::warn!("holds do not expire until the database is back: {error}");
        }
        was_well = expired.is_ok();
    }
}

/// Ends all holds that are due. SQLite's writers take turns, so it looks first whether there is anything to do.
async fn expire(
    db: &Database,
    board: &Board,
    desk: &Desk,
    wakeup: &Wakeup,
) -> Result<(), crate::error::Error> {
    while db.read_primary(store::is_any_due).await? {
        let stock = db.write_alone(|db| store::expire(db, AT_ONCE)).await?;
        if stock.is_empty() {
            return Ok(());
        }
        announce(board, desk, wakeup, &stock);
    }
    Ok(())
}
