//! What a server has counted for concerts with few bookings. A count is current until something changes.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{DatedCount, Sales};

/// The counts by concert; clones share them.
#[derive(Clone, Default)]
pub struct RememberedCounts(Arc<Mutex<HashMap<i64, DatedCount>>>);

impl RememberedCounts {
    /// The count of a concert, if nothing has changed since.
    pub(super) fn current(&self, sales: &Sales) -> Option<DatedCount> {
        let counts = self.0.lock();
        counts.get(&sales.event.id).filter(|it| it.is_of(&sales.stock())).cloned()
    }

    pub(super) fn remember(&self, event_id: i64, counted: &DatedCount) {
        self.0.lock().insert(event_id, counted.clone());
    }
}
