//! Closes every connection to the database, so that an SQLite file is whole when the program has stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Database, Db, wal};
use crate::log_safe::one_line;

/// How long connections that are at work may take.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A writer's connection, with the epoch that it was opened in.
pub(super) type WriterSlot = Arc<Mutex<Option<(Db, u64)>>>;

/// Whether connections may still be opened, and who has one besides the pool. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Closing {
    is_closed: Arc<AtomicBool>,
    writers: Arc<Mutex<Vec<Weak<Mutex<Option<(Db, u64)>>>>>>,
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
}

impl Database {
    /// Closes all connections for good. An SQLite database is then one file, if no other program has it open. A
    /// connection that is still at work after two seconds keeps its log beside the file. Blocks the thread.
    pub fn close(&self) {
        self.closing.is_closed.store(true, Ordering::Release);
        if self.url.file().is_none() {
            return;
        }
        let begun = Instant::now();
        for slot in self.closing.writers.lock().iter().filter_map(Weak::upgrade) {
            if let Some(mut connection) = slot.try_lock_for(PATIENCE.saturating_sub(begun.elapsed())) {
                drop(connection.take());
            }
        }
        while self.pool.state().connections > 0 && begun.elapsed() < PATIENCE {
            // An idle connection is found to be closed, and is dropped.
            drop(self.pool.try_get());
            thread::sleep(LOOK_EVERY);
        }
        if let Err(error) = wal::finish(&self.url) {
            log::warn!(
                "{}: its log could not be written back; keep its -wal file: {}",
                self.url,
                one_line(&error)
            );
        }
    }
}
