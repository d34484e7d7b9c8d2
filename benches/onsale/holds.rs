//! The server with a desk that holds the tickets of every order instead of booking them. The benchmark starts itself
//! with [`ARGUMENT`] to be this server.

use techkraft::booking::Order;
use techkraft::booking::desk::Desk;
use techkraft::booking::store::book_batch;

use crate::{Result, own_server};

pub const ARGUMENT: &str = "--serve-holds";
/// How long the tickets are held: longer than any round.
const SECONDS: i32 = 3600;

/// Serves until the process is killed.
pub fn serve() -> Result<()> {
    own_server::serve("holds", |limits| {
        Box::new(move |db, board, wakeup| {
            let mut writer = db.writer();
            Desk::with_store(limits, board, wakeup, move |orders| {
                let held: Vec<Order> = orders.iter().map(|&order| order.clone().held_for(SECONDS)).collect();
                let held: Vec<&Order> = held.iter().collect();
                writer.run(|db| book_batch(db, &held))
            })
        })
    })
}
