//! Reconciliation: the books, counted again from the bookings themselves. Nothing here trusts what the
//! desk remembers, nor what the schema promises.

mod store;

use std::fmt;

pub use self::store::reconcile;

/// The count of one tier.
#[derive(Debug, Clone)]
pub struct TierCount {
    pub event: String,
    pub ticket_type: String,
    pub capacity: i64,
    pub available: i64,
    /// Tickets in confirmed bookings.
    pub sold: i64,
    /// Confirmed bookings.
    pub bookings: i64,
}

impl TierCount {
    /// Sold and available make up the capacity, and neither is negative.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.available >= 0 && self.sold >= 0 && self.sold + self.available == self.capacity
    }
}

/// Something that must never be, and how often it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untruth {
    pub what: &'static str,
    pub count: i64,
}

/// What counting everything again has shown.
#[derive(Debug, Clone, Default)]
pub struct Reconciliation {
    pub tiers: Vec<TierCount>,
    pub untruths: Vec<Untruth>,
}

impl Reconciliation {
    /// Every tier balances, and nothing was found that must never be.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.untruths.is_empty() && self.tiers.iter().all(TierCount::balances)
    }
}

/// The table that `techkraft verify` prints.
impl fmt::Display for Reconciliation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = |text: fn(&TierCount) -> &str, least: usize| {
            self.tiers.iter().map(|tier| text(tier).chars().count()).fold(least, usize::max)
        };
        let (event, tier) = (widest(|tier| &tier.event, 5), widest(|tier| &tier.ticket_type, 4));
        writeln!(
            f,
            "{:event$}  {:tier$}  {:>8}  {:>8}  {:>9}  {:>8}  ",
            "EVENT", "TIER", "CAPACITY", "SOLD", "AVAILABLE", "BOOKINGS"
        )?;
        for count in &self.tiers {
            let verdict = if count.balances() { "balances" } else { "DOES NOT BALANCE" };
            let TierCount { capacity, sold, available, bookings, .. } = count;
            writeln!(
                f,
                "{:event$}  {:tier$}  {capacity:>8}  {sold:>8}  {available:>9}  {bookings:>8}  {verdict}",
                count.event, count.ticket_type
            )?;
        }
        for Untruth { what, count } in &self.untruths {
            writeln!(f, "UNTRUE: {what}: {count}")?;
        }
        write!(f, "{}", if self.holds() { "The books are true." } else { "The books are NOT true." })
    }
}
