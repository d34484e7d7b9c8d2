//! The latest reconciliation, for pages that ask again and again. However many watch, everything is counted at most
//! once in [`PAUSE`], by one caller at a time: counting reads every booking, so a few open pages would keep a processor
//! and a connection busy all day.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::rt;
use parking_lot::Mutex;

use super::{Reconciliation, reconcile};
use crate::db::Database;
use crate::error::Error;

/// Between two counts.
pub const PAUSE: Duration = Duration::from_secs(30);

/// A count, and when it was made.
type Counted = (Instant, Arc<Reconciliation>);

/// The latest count of this server.
#[derive(Clone, Default)]
pub struct LatestReconciliation {
    latest: Arc<Mutex<Option<Counted>>>,
    counting: Arc<tokio::sync::Mutex<()>>,
}

impl LatestReconciliation {
    /// The latest count, or a new one when it is too old. While somebody counts, the others get the one before.
    ///
    /// # Errors
    /// Database errors.
    pub async fn get(&self, db: &Database) -> Result<Arc<Reconciliation>, Error> {
        if let Some(fresh) = self.fresh() {
            return Ok(fresh);
        }
        let before = self.latest.lock().as_ref().map(|(_, counted)| Arc::clone(counted));
        let turn = match (Arc::clone(&self.counting).try_lock_owned(), before) {
            (Ok(turn), _) => turn,
            (Err(_), Some(before)) => return Ok(before),
            (Err(_), None) => Arc::clone(&self.counting).lock_owned().await,
        };
        // Another caller may have counted in the meantime.
        if let Some(fresh) = self.fresh() {
            return Ok(fresh);
        }
        let (this, db) = (self.clone(), db.clone());
        // A task of its own: a caller that goes away does not let the next one begin beside it.
        let counted = rt::spawn(async move {
            let counted = Arc::new(db.read_primary(reconcile).await?);
            *this.latest.lock() = Some((Instant::now(), Arc::clone(&counted)));
            drop(turn);
            Ok(counted)
        });
        counted.await.map_err(|e| Error::Internal(format!("counting broke off: {e}")))?
    }

    fn fresh(&self) -> Option<Arc<Reconciliation>> {
        let latest = self.latest.lock();
        latest.as_ref().filter(|(at, _)| at.elapsed() < PAUSE).map(|(_, counted)| Arc::clone(counted))
    }
}
