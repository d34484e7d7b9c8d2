//! Makes orders of a sold-out ticket type cheap. An order that was rejected because nothing is left is
//! rejected again from memory for a short time. An order that this server has not rejected goes to the
//! database, because it may repeat one that was booked.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::booking::store::Batch;
use crate::booking::{BookingOutcome, Order};

/// How long the memory is trusted: a cancellation on another server may put tickets back on sale.
const FRESH: Duration = Duration::from_millis(100);
/// Rejected orders that are remembered.
const REJECTED_MAX: usize = 100_000;

#[derive(Default)]
pub(super) struct SoldOut {
    memory: RwLock<Memory>,
    hasher: RandomState,
}

#[derive(Default)]
struct Memory {
    /// Sold-out ticket types, with the version that said so, and when it did.
    ticket_types: HashMap<i64, (i64, Instant)>,
    /// Hashes of request keys that booked nothing, with the ticket type that was sold out, and its version then.
    rejected: HashMap<u64, (i64, i64)>,
}

impl SoldOut {
    /// Whether the same order was rejected a moment ago and nothing has changed since.
    pub(super) fn rejects(&self, order: &Order) -> bool {
        let [line] = order.lines() else { return false };
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        let rejected = memory.rejected.get(&self.hash(order));
        rejected.is_some_and(|(ticket_type_id, version)| {
            let is_still_so =
                |(known, seen_at): &(i64, Instant)| known == version && seen_at.elapsed() < FRESH;
            line.ticket_type_id == *ticket_type_id
                && memory.ticket_types.get(ticket_type_id).is_some_and(is_still_so)
        })
    }

    /// Remembers which ticket types a batch found sold out, and which orders of one ticket type it rejected.
    pub(super) fn learn<'a>(&self, batch: &Batch, orders: impl Iterator<Item = &'a Order>) {
        if batch.stock.iter().all(|stock| stock.available > 0) && self.is_empty() {
            return;
        }
        let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
        for stock in &batch.stock {
            if stock.available > 0 {
                memory.ticket_types.remove(&stock.ticket_type_id);
            } else {
                memory.ticket_types.insert(stock.ticket_type_id, (stock.version, Instant::now()));
            }
        }
        if memory.ticket_types.is_empty() || memory.rejected.len() > REJECTED_MAX {
            memory.rejected.clear();
        }
        for (order, outcome) in orders.zip(&batch.outcomes) {
            match (outcome, order.lines()) {
                (BookingOutcome::NotEnough { .. }, [line]) => {
                    if let Some(&(version, _)) = memory.ticket_types.get(&line.ticket_type_id) {
                        memory.rejected.insert(self.hash(order), (line.ticket_type_id, version));
                    }
                }
                // The key may have been rejected before; now it has a booking.
                _ => drop(memory.rejected.remove(&self.hash(order))),
            }
        }
    }

    pub(super) fn forget(&self) {
        *self.memory.write().unwrap_or_else(PoisonError::into_inner) = Memory::default();
    }

    fn is_empty(&self) -> bool {
        self.memory.read().unwrap_or_else(PoisonError::into_inner).ticket_types.is_empty()
    }

    fn hash(&self, order: &Order) -> u64 {
        self.hasher.hash_one(&order.request_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::OrderLine;
    use crate::booking::buyer::Buyer;
    use crate::events::Stock;

    fn order(key: &str) -> Order {
        Order::of_one_type(1, 1, Buyer::with_email("Ada", "ada@example.org"), key.into())
    }

    fn batch(available: i32, version: i64, outcomes: Vec<BookingOutcome>) -> Batch {
        Batch { outcomes, stock: vec![Stock { ticket_type_id: 1, available, version }] }
    }

    #[test]
    fn only_rejected_orders_are_rejected_again_and_only_while_nothing_changes() {
        let sold_out = SoldOut::default();
        let none = || vec![BookingOutcome::NotEnough { left: vec![0] }];
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

    #[test]
    fn an_order_of_several_ticket_types_is_always_looked_at() {
        let sold_out = SoldOut::default();
        let lines = [1, 2].map(|ticket_type_id| OrderLine { ticket_type_id, quantity: 1 });
        let both = Order::new(lines, Buyer::with_email("Ada", "ada@example.org"), "a".into());
        sold_out
            .learn(&batch(0, 7, vec![BookingOutcome::NotEnough { left: vec![0, 9] }]), [both.clone()].iter());
        assert!(!sold_out.rejects(&both));
        let none = || vec![BookingOutcome::NotEnough { left: vec![0] }];
        sold_out.learn(&batch(0, 7, none()), [order("a")].iter());
        assert!(sold_out.rejects(&order("a")) && !sold_out.rejects(&both), "the same key, another order");
    }
}
