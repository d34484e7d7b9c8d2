//! The tasks that run beside the requests, for as long as the program runs.

use std::sync::Arc;

use crate::booking::desk::Desk;
use crate::booking::event_jobs::worker::keep_working;
use crate::booking::release::expiry::keep_expiring;
use crate::booking::search::worker::keep_indexing;
use crate::config::Config;
use crate::db::{Database, wal};
use crate::events::board::Board;
use crate::events::refresher::keep_time;
use crate::mail::service::SenderHandle;
use crate::ops::drain::Workers;
use crate::outbox::wakeup::Wakeup;
use crate::payment::settings::Payments;
use crate::payment::worker;
use crate::start_error::StartError;

/// Starts the tasks: SQLite's log is kept short, sales start and end on time, the search index is filled, bulk jobs
/// on a concert's bookings are done, holds expire, and payments are handled, if there is an account to pay to.
pub(crate) fn keep_running(
    config: &Config,
    db: &Database,
    board: &Arc<Board>,
    desk: &Arc<Desk>,
    (outbox_wakeup, public_url): (&Arc<Wakeup>, &str),
    mail: SenderHandle,
) -> Result<(Option<Payments>, Workers), StartError> {
    wal::keep_short(db)?;
    actix_web::rt::spawn(keep_time(Arc::clone(board), db.clone()));
    let (account, payments) =
        worker::open(config.stripe.as_ref(), (db, board, desk), outbox_wakeup, public_url)?;
    let (board, desk) = (Arc::clone(board), Arc::clone(desk));
    let wakeup = Arc::clone(outbox_wakeup);
    actix_web::rt::spawn(keep_indexing(db.clone(), Arc::clone(&desk)));
    actix_web::rt::spawn(keep_working(
        db.clone(),
        Arc::clone(&board),
        Arc::clone(&desk),
        Arc::clone(&wakeup),
    ));
    actix_web::rt::spawn(keep_expiring(db.clone(), board, desk, wakeup));
    Ok((account, Workers { mail, payments }))
}
