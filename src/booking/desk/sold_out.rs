//! Makes a sold-out tier cheap: an order that was refused because nothing is left is refused again from
//! memory, for as long as a glance at the database is fresh. An order that has not been seen goes to the
//! database, because it may be the repetition of one that booked.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::booking::store::Batch;
use crate::booking::{Order, Outcome};
use crate::events::Stock;

/// How long memory is trusted: another server may have taken tickets back.
const FRESH: Duration = Duration::from_millis(100);
/// Refused orders remembered for each tier, 8 bytes each.
const REFUSED_MAX: usize = 100_000;

#[derive(Default)]
pub(super) struct SoldOut {
    tiers: RwLock<HashMap<i64, Tier>>,
    hasher: RandomState,
}

struct Tier {
    version: i64,
    seen_at: Instant,
    /// Hashes of the request keys that were refused at this version, so that booked nothing.
    refused: HashSet<u64>,
}

impl SoldOut {
    /// Whether nothing is left for the order, by what was seen a moment ago.
    pub(super) fn refuses(&self, order: &Order) -> bool {
        let tiers = self.tiers.read().unwrap_or_else(PoisonError::into_inner);
        tiers
            .get(&order.ticket_type_id)
            .is_some_and(|tier| tier.seen_at.elapsed() < FRESH && tier.refused.contains(&self.hash(order)))
    }

    /// Learns from a batch what is sold out and whom that refused.
    pub(super) fn learn<'a>(&self, batch: &Batch, orders: impl Iterator<Item = &'a Order>) {
        if batch.stock.iter().all(|stock| stock.available > 0) && self.is_empty() {
            return;
        }
        let mut tiers = self.tiers.write().unwrap_or_else(PoisonError::into_inner);
        for stock in &batch.stock {
            see(&mut tiers, stock);
        }
        for (order, outcome) in orders.zip(&batch.outcomes) {
            if matches!(outcome, Outcome::Booked(_)) {
                // Refused before, for a tier that is sold out; now the key stands for something.
                let hash = self.hash(order);
                for tier in tiers.values_mut() {
                    tier.refused.remove(&hash);
                }
            }
            let is_true_now = batch.is_of_one_moment && matches!(outcome, Outcome::NotEnough { .. });
            if let (true, Some(tier)) = (is_true_now, tiers.get_mut(&order.ticket_type_id)) {
                if tier.refused.len() >= REFUSED_MAX {
                    tier.refused.clear();
                }
                tier.refused.insert(self.hash(order));
            }
        }
    }

    pub(super) fn forget(&self) {
        self.tiers.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn is_empty(&self) -> bool {
        self.tiers.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn hash(&self, order: &Order) -> u64 {
        self.hasher.hash_one(&order.request_key)
    }
}

fn see(tiers: &mut HashMap<i64, Tier>, stock: &Stock) {
    if stock.available > 0 {
        tiers.remove(&stock.ticket_type_id);
        return;
    }
    let version = stock.version;
    let seen_at = Instant::now();
    let tier = tiers.entry(stock.ticket_type_id).or_insert_with(|| Tier {
        version,
        seen_at,
        refused: HashSet::new(),
    });
    // Somebody has bought since, perhaps with a key that is remembered here as refused.
    if tier.version != version {
        tier.refused.clear();
        tier.version = version;
    }
    tier.seen_at = seen_at;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::buyer::Buyer;

    fn order(key: &str) -> Order {
        let buyer = Buyer { name: "Ada".into(), email: "ada@example.org".into() };
        Order { ticket_type_id: 1, quantity: 1, buyer, request_key: key.into() }
    }

    fn batch(available: i32, version: i64, outcomes: Vec<Outcome>) -> Batch {
        Batch {
            outcomes,
            stock: vec![Stock { ticket_type_id: 1, available, version }],
            is_of_one_moment: true,
        }
    }

    #[test]
    fn only_orders_that_were_refused_are_refused_again_and_only_while_nothing_changes() {
        let sold_out = SoldOut::default();
        let none = || vec![Outcome::NotEnough { left: 0 }];
        sold_out.learn(&batch(0, 7, none()), [order("a")].iter());
        assert!(sold_out.refuses(&order("a")));
        assert!(!sold_out.refuses(&order("b")), "it may have booked before");

        sold_out.learn(&batch(0, 8, none()), [order("c")].iter());
        assert!(sold_out.refuses(&order("c")) && !sold_out.refuses(&order("a")), "a later version");

        sold_out.learn(&batch(3, 9, Vec::new()), [].iter());
        assert!(!sold_out.refuses(&order("c")), "tickets came back");

        sold_out.learn(&batch(0, 10, none()), [order("d")].iter());
        std::thread::sleep(FRESH);
        assert!(!sold_out.refuses(&order("d")), "memory is trusted for a moment only");
    }
}
