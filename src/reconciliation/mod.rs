//! Reconciliation: counts everything again from the bookings themselves. It trusts neither the desk's memory
//! nor the schema's constraints.
//!
//! It only reads. Repairing what it finds does not belong here.

pub mod latest;
mod money_store;
mod store;

use std::fmt;

pub use self::store::reconcile;
use crate::money::Money;

/// The counts of one ticket type.
#[derive(Debug, Clone)]
pub struct TicketTypeCount {
    pub event: String,
    pub ticket_type: String,
    pub capacity: i64,
    pub available: i64,
    /// Tickets in confirmed bookings, without those that were given back.
    pub sold: i64,
    /// The same in bookings that are held.
    pub held: i64,
    /// Confirmed bookings.
    pub bookings: i64,
}

impl TicketTypeCount {
    /// Sold plus held plus available equals the capacity, and none is negative.
    #[must_use]
    pub fn balances(&self) -> bool {
        [self.available, self.sold, self.held].iter().all(|count| *count >= 0)
            && self.sold + self.held + self.available == self.capacity
    }
}

/// Real money in one currency, in its minor unit, as the ledger adds it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneySum {
    pub currency: String,
    pub paid: i64,
    pub back: i64,
    /// What the provider has kept.
    pub fees: i64,
}

/// Something that must never exist, and how often it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub what: &'static str,
    pub count: i64,
}

/// The result of counting everything.
#[derive(Debug, Clone, Default)]
pub struct Reconciliation {
    pub ticket_types: Vec<TicketTypeCount>,
    /// By currency; empty where nothing was paid online.
    pub money: Vec<MoneySum>,
    pub violations: Vec<Violation>,
}

impl Reconciliation {
    /// Every ticket type balances, and no violation was found.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.violations.is_empty() && self.ticket_types.iter().all(TicketTypeCount::balances)
    }
}

/// The table that `techkraft verify` prints.
impl fmt::Display for Reconciliation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |text: fn(&TicketTypeCount) -> &str, heading: &str| {
            let texts = self.ticket_types.iter().map(|count| text(count).chars().count());
            texts.fold(heading.len(), usize::max)
        };
        let event = width(|count| &count.event, "EVENT");
        let ticket_type = width(|count| &count.ticket_type, "TICKET TYPE");
        writeln!(
            f,
            "{:event$}  {:ticket_type$}  {:>8}  {:>8}  {:>6}  {:>9}  {:>8}  ",
            "EVENT", "TICKET TYPE", "CAPACITY", "SOLD", "HELD", "AVAILABLE", "BOOKINGS"
        )?;
        for count in &self.ticket_types {
            let verdict = if count.balances() { "ok" } else { "DOES NOT ADD UP" };
            let TicketTypeCount { capacity, sold, held, available, bookings, .. } = count;
            writeln!(
                f,
                "{:event$}  {:ticket_type$}  {capacity:>8}  {sold:>8}  {held:>6}  {available:>9}  {bookings:>8}  {verdict}",
                count.event, count.ticket_type
            )?;
        }
        for MoneySum { currency, paid, back, fees } in &self.money {
            let [paid, back, fees] = [paid, back, fees].map(|minor| Money::new(*minor, currency));
            writeln!(f, "PAID ONLINE: {paid}, of which {back} went back; Stripe has kept {fees}")?;
        }
        for Violation { what, count } in &self.violations {
            writeln!(f, "VIOLATION: {what}: {count}")?;
        }
        write!(f, "{}", if self.holds() { "All counts add up." } else { "The counts do NOT add up." })
    }
}
