//! What keeps the board fresh: it looks again and again at what has changed elsewhere.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::board::Board;
use super::shared_board::SharedBoard;
use crate::db::Database;

/// Refreshes the board every so often, for as long as the program runs: from the database, or from what the
/// servers share.
pub async fn keep_fresh(board: Arc<Board>, db: Database, shared: Option<Arc<SharedBoard>>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_well = true;
    loop {
        let refreshed = match &shared {
            None => {
                ticks.tick().await;
                board.refresher.begin_waiting();
                board.refresh(&db).await
            }
            Some(shared) => {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = shared.is_reconnected() => ticks.reset(),
                }
                board.refresher.begin_waiting();
                shared.refresh(&board, &db).await
            }
        };
        board.refresher.beat();
        match &refreshed {
            Err(error) if was_well => {
                log::warn!("the board shows what it knows until the database is back: {error}")
            }
            Ok(()) if !was_well => log::info!("the board is fresh again"),
            _ => {}
        }
        was_well = refreshed.is_ok();
    }
}
