//! Makes a sold-out ticket type cheap: an order that was rejected because nothing is left is rejected again
//! from memory for a short time. An order that was not seen before goes to the database, because it may
//! repeat one that was booked.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::booking::store::Batch;
use crate::booking::{BookingOutcome, Order};
use crate::events::Stock;

/// How long the memory is trusted: a cancellation on another server may put tickets back on sale.
const FRESH: Duration = Duration::from_millis(100);
/// Rejected orders remembered per ticket type, 8 bytes each.
const REJECTED_MAX: usize = 100_000;

#[derive(Default)]
pub(super) struct SoldOut {
    ticket_types: RwLock<HashMap<i64, SoldOutType>>,
    hasher: RandomState,
}

struct SoldOutType {
    version: i64,
    seen_at: Instant,
    /// Hashes of the request keys that were rejected at this version, so booked nothing.
    rejected: HashSet<u64>,
}

impl SoldOut {
    /// Whether the same order was rejected a moment ago and nothing has changed since.
    pub(super) fn rejects(&self, order: &Order) -> bool {
        let sold_out = self.ticket_types.read().unwrap_or_else(PoisonError::into_inner);
        sold_out.get(&order.ticket_type_id).is_some_and(|remembered| {
            remembered.seen_at.elapsed() < FRESH && remembered.rejected.contains(&self.hash(order))
        })
    }

    /// Remembers which ticket types a batch found sold out, and which orders it rejected.
    pub(super) fn learn<'a>(&self, batch: &Batch, orders: impl Iterator<Item = &'a Order>) {
        if batch.stock.iter().all(|stock| stock.available > 0) && self.is_empty() {
            return;
        }
        let mut sold_out = self.ticket_types.write().unwrap_or_else(PoisonError::into_inner);
        for stock in &batch.stock {
            see(&mut sold_out, stock);
        }
        for (order, outcome) in orders.zip(&batch.outcomes) {
            if matches!(outcome, BookingOutcome::Booked(_)) {
                // The key was rejected for a sold-out ticket type before; now it has a booking.
                let hash = self.hash(order);
                for remembered in sold_out.values_mut() {
                    remembered.rejected.remove(&hash);
                }
            }
            let is_true_now = batch.is_of_one_moment && matches!(outcome, BookingOutcome::NotEnough { .. });
            if let (true, Some(remembered)) = (is_true_now, sold_out.get_mut(&order.ticket_type_id)) {
                if remembered.rejected.len() >= REJECTED_MAX {
                    remembered.rejected.clear();
                }
                remembered.rejected.insert(self.hash(order));
            }
        }
    }

    pub(super) fn forget(&self) {
        self.ticket_types.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn is_empty(&self) -> bool {
        self.ticket_types.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn hash(&self, order: &Order) -> u64 {
        self.hasher.hash_one(&order.request_key)
    }
}

fn see(sold_out: &mut HashMap<i64, SoldOutType>, stock: &Stock) {
    if stock.available > 0 {
        sold_out.remove(&stock.ticket_type_id);
        return;
    }
    let version = stock.version;
    let seen_at = Instant::now();
    let remembered = sold_out.entry(stock.ticket_type_id).or_insert_with(|| SoldOutType {
        version,
        seen_at,
        rejected: HashSet::new(),
    });
    // Someone has bought since, perhaps with a key that is remembered as rejected.
    if remembered.version != version {
        remembered.rejected.clear();
        remembered.version = version;
    }
    remembered.seen_at = seen_at;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::buyer::Buyer;

    fn order(key: &str) -> Order {
        let buyer = Buyer { name: "Ada".into(), email: "ada@example.org".into() };
        Order { ticket_type_id: 1, quantity: 1, buyer, request_key: key.into() }
    }

    fn batch(available: i32, version: i64, outcomes: Vec<BookingOutcome>) -> Batch {
        Batch {
            outcomes,
            stock: vec![Stock { ticket_type_id: 1, available, version }],
            is_of_one_moment: true,
        }
    }

    #[test]
    fn only_rejected_orders_are_rejected_again_and_only_while_nothing_changes() {
        let sold_out = SoldOut::default();
        let none = || vec![BookingOutcome::NotEnough { left: 0 }];
        sold_out.learn(&batch(0, 7, none()), [order("a")].iter());
        assert!(sold_out.rejects(&order("a")));
        assert!(!sold_out.rejects(&order("b")), "it may have been booked before");

        sold_out.learn(&batch(0, 8, none()), [order("c")].iter());
        assert!(sold_out.rejects(&order("c")) && !sold_out.rejects(&order("a")), "a later version");

        sold_out.learn(&batch(3, 9, Vec::new()), [].iter());
        assert!(!sold_out.rejects(&order("c")), "tickets came back");

        sold_out.learn(&batch(0, 10, none()), [order("d")].iter());
        std::thread::sleep(FRESH);
        assert!(!sold_out.rejects(&order("d")), "the memory expires");
    }
}
