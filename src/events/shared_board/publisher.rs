//! Stock changes that wait to be published to the other servers.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::events::Stock;

/// Keeps the stock that the desk has changed until it is sent. Only the newest stock of each ticket type is kept,
/// so the size is bounded by the number of ticket types. The lock is held for a few assignments, so the desk does
/// not wait. Without Redis nothing is kept.
#[derive(Default)]
pub struct Publisher {
    is_open: AtomicBool,
    waiting: Mutex<PendingUpdates>,
    filled: Notify,
}

/// The contents of a [`Publisher`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PendingUpdates {
    pub stock: HashMap<i64, Stock>,
    /// More than the stock has changed: publish the whole board.
    pub everything: bool,
}

impl PendingUpdates {
    fn is_empty(&self) -> bool {
        self.stock.is_empty() && !self.everything
    }

    fn add(&mut self, stock: &[Stock]) {
        for &stock in stock {
            let newest = self.stock.entry(stock.ticket_type_id).or_insert(stock);
            if stock.version > newest.version {
                *newest = stock;
            }
        }
    }
}

impl Publisher {
    /// Keeps changes from now on, because a sender takes them.
    pub fn open(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }

    /// Adds the stock after a commit.
    pub fn put(&self, stock: &[Stock]) {
        self.fill(|waiting| waiting.add(stock));
    }

    /// Marks the whole board as changed.
    pub fn put_everything(&self) {
        self.fill(|waiting| waiting.everything = true);
    }

    /// Puts back what could not be sent. Newer stock wins.
    pub fn put_back(&self, unsent: &PendingUpdates) {
        self.fill(|waiting| {
            waiting.everything |= unsent.everything;
            unsent.stock.values().for_each(|stock| waiting.add(&[*stock]));
        });
    }

    fn fill(&self, put: impl FnOnce(&mut PendingUpdates)) {
        if self.is_open.load(Ordering::Relaxed) {
            put(&mut self.waiting.lock());
            self.filled.notify_one();
        }
    }

    /// Waits until something is pending. Cancel safe.
    pub async fn is_filled(&self) {
        while self.waiting.lock().is_empty() {
            self.filled.notified().await;
        }
    }

    /// Takes everything that is pending.
    pub fn take(&self) -> PendingUpdates {
        mem::take(&mut self.waiting.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock(ticket_type_id: i64, version: i64) -> Stock {
        Stock { ticket_type_id, available: 1, version }
    }

    #[test]
    fn the_newest_of_each_ticket_type_waits_once() {
        let publisher = Publisher::default();
        publisher.put(&[stock(1, 1)]);
        assert!(publisher.take().is_empty(), "not open yet");
        publisher.open();
        publisher.put(&[stock(1, 5), stock(2, 1)]);
        publisher.put(&[stock(1, 4), stock(2, 2)]);
        let unsent = publisher.take();
        assert_eq!(unsent.stock, HashMap::from([(1, stock(1, 5)), (2, stock(2, 2))]));
        assert!(publisher.take().is_empty());
        publisher.put(&[stock(2, 3)]);
        publisher.put_back(&unsent);
        assert_eq!(publisher.take().stock, HashMap::from([(1, stock(1, 5)), (2, stock(2, 3))]));
    }
}
