//! The latest reconciliation, for pages that ask again and again. However many watch, everything is counted
//! at most once in [`PAUSE`], by one caller at a time: counting reads every booking, so a few open pages
//! would keep a processor and a connection busy all day. With many bookings nobody waits for the count, and
//! the longer it takes, the less often it is made.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::rt;
use chrono::{NaiveDateTime, Utc};
use parking_lot::Mutex;

use super::{Reconciliation, reconcile, store};
use crate::db::Database;
use crate::error::Error;

/// Between two counts.
pub const PAUSE: Duration = Duration::from_secs(30);

/// If there are no more bookings than this, judged by the highest id, the page waits for the count.
const FEW_BOOKINGS: i64 = 2_000;
/// After a count that took some time, the next one is made this many times as long later at the earliest:
/// counting takes at most a hundredth of the time.
const REST: u32 = 100;

/// A reconciliation, and when it was made.
#[derive(Debug, Clone)]
pub struct Verified {
    pub reconciliation: Arc<Reconciliation>,
    /// UTC.
    pub at: NaiveDateTime,
    counted: Instant,
    took: Duration,
}

impl Verified {
    /// Whether it was made within a minute.
    #[must_use]
    pub fn is_recent(&self) -> bool {
        self.counted.elapsed() < Duration::from_secs(60)
    }

    fn is_fresh(&self) -> bool {
        self.counted.elapsed() < PAUSE.max(self.took * REST)
    }
}

/// The latest count of this server.
#[derive(Clone, Default)]
pub struct LatestReconciliation {
    latest: Arc<Mutex<Option<Verified>>>,
    counting: Arc<tokio::sync::Mutex<()>>,
}

impl LatestReconciliation {
    /// The latest count, or a new one when it is too old. While one caller counts, the others get the
    /// previous count. With many bookings every caller gets the previous count, or `None` when there is none
    /// yet.
    pub async fn get(&self, db: &Database) -> Result<Option<Verified>, Error> {
        let before = self.latest.lock().clone();
        if before.as_ref().is_some_and(Verified::is_fresh) {
            return Ok(before);
        }
        let waits = db.read_primary(store::last_booking_id).await? <= FEW_BOOKINGS;
        let turn = match Arc::clone(&self.counting).try_lock_owned() {
            Ok(turn) => turn,
            Err(_) if before.is_some() || !waits => return Ok(before),
            Err(_) => Arc::clone(&self.counting).lock_owned().await,
        };
        // Another caller may have counted in the meantime.
        let latest = self.latest.lock().clone();
        if latest.as_ref().is_some_and(Verified::is_fresh) {
            return Ok(latest);
        }
        let (this, db) = (self.clone(), db.clone());
        // A task of its own: if the caller goes away, the count goes on, and the next caller cannot begin
        // another one beside it.
        let counted = rt::spawn(async move {
            let (begun, at) = (Instant::now(), Utc::now().naive_utc());
            let reconciliation = db.read(reconcile).await;
            let reconciliation = Arc::new(reconciliation.inspect_err(|error| {
                log::warn!("the counts could not be verified: {error}");
            })?);
            let verified = Verified { reconciliation, at, counted: Instant::now(), took: begun.elapsed() };
            *this.latest.lock() = Some(verified.clone());
            drop(turn);
            Ok(Some(verified))
        });
        if !waits {
            return Ok(latest);
        }
        counted.await.map_err(|e| Error::Internal(format!("counting was interrupted: {e}")))?
    }
}
