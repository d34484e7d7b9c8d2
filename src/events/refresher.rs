//! What keeps the board fresh: it looks again and again at what has changed elsewhere, and at the clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::board::Board;
use super::shared_board::SharedBoard;
use crate::db::Database;

/// How often the board's clock is set by the database's.
const SET_CLOCK_EVERY: Duration = Duration::from_secs(10);
/// How long nobody looks whether a sale starts or ends: a change may have brought one nearer.
const TIME_PASSES_MAX: Duration = Duration::from_millis(500);

/// Lets sales start and end on the board in their second, for as long as the program runs.
pub async fn keep_time(board: Arc<Board>, db: Database) {
    let mut clock_set_at = Instant::now();
    loop {
        let wait = board.pass_time().map_or(TIME_PASSES_MAX, |wait| wait.min(TIME_PASSES_MAX));
        tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
        if clock_set_at.elapsed() >= SET_CLOCK_EVERY {
            clock_set_at = Instant::now();
            // While the database is away the last offset is as good as any; the refresher says that it is away.
            drop(board.set_clock(&db).await);
        }
    }
}

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
