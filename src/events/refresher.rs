//! Keeps the board current: reads what other servers have changed, and starts and ends sales by the clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::board::Board;
use super::shared_board::SharedBoard;
use crate::db::Database;

/// Time between two readings of the database's clock.
const SET_CLOCK_EVERY: Duration = Duration::from_secs(10);
/// The longest time between two checks for sales that start or end: a change may have moved one.
const CHECK_SALES_EVERY: Duration = Duration::from_millis(500);

/// Starts and ends sales on the board in their second, as long as the program runs.
pub async fn keep_time(board: Arc<Board>, db: Database) {
    let mut clock_set_at = Instant::now();
    loop {
        let wait = board.open_and_close_sales().map_or(CHECK_SALES_EVERY, |wait| wait.min(CHECK_SALES_EVERY));
        // A sale that turns within the millisecond must not make this loop spin.
        tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
        if clock_set_at.elapsed() >= SET_CLOCK_EVERY {
            clock_set_at = Instant::now();
            // While the database is unavailable the last offset is used; the refresher logs that it is unavailable.
            drop(board.set_clock(&db).await);
        }
    }
}

/// Refreshes the board at this interval, as long as the program runs: from the database, or from the board that the
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
                log::warn!(
                    "the board cannot be refreshed and shows its last data until the database is back: {error}"
                )
            }
            Ok(()) if !was_well => log::info!("the board is up to date again"),
            _ => {}
        }
        was_well = refreshed.is_ok();
    }
}
