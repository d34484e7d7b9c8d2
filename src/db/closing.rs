//! Closes every connection to the database, so that an SQLite file is whole when the program has stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use diesel::r2d2::{ManageConnection, Pool};
use parking_lot::Mutex;

use super::Db;

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A writer's connection, with the epoch that it was opened in.
type Slot = Mutex<Option<(Db, u64)>>;
pub(super) type WriterSlot = Arc<Slot>;

/// Whether connections may still be opened, and which writers have one besides the pool. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Closing {
    is_closed: Arc<AtomicBool>,
    writers: Arc<Mutex<Vec<Weak<Slot>>>>,
}

impl Closing {
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// A place for the connection of one more writer.
    pub(super) fn new_slot(&self) -> WriterSlot {
        let slot = WriterSlot::default();
        self.writers.lock().push(Arc::downgrade(&slot));
        slot
    }

    /// From now on no connection is opened. Waits no longer than `time_limit` for those that are at work.
    pub(super) fn close(&self, pool: &Pool<impl ManageConnection>, time_limit: Duration) {
        let begun = Instant::now();
        self.is_closed.store(true, Ordering::Release);
        for slot in self.writers.lock().iter().filter_map(Weak::upgrade) {
            if let Some(mut connection) = slot.try_lock_for(time_limit.saturating_sub(begun.elapsed())) {
                drop(connection.take());
            }
        }
        while pool.state().connections > 0 && begun.elapsed() < time_limit {
            // The pool finds that an idle connection is retired, and drops it.
            drop(pool.try_get());
            thread::sleep(LOOK_EVERY);
        }
    }
}
