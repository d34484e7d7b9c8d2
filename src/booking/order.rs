//! An order: what a buyer asks the desk for.

use sha2::{Digest as _, Sha256};

use super::NotOnSale;
use super::buyer::Buyer;
use crate::events::board::Board;

/// What a buyer asks the desk for: all of its lines, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Each has a different ticket type, in the order of their ids: see [`Order::new`].
    lines: Vec<OrderLine>,
    pub buyer: Buyer,
    /// Two orders with the same key are one order sent twice.
    pub request_key: String,
    /// For how many seconds the tickets are held. `None`: they are booked.
    pub hold_seconds: Option<i32>,
    /// The total that the buyer was shown, in the currency's minor unit: at another one nothing is booked. `None`: at
    /// any price. It does not belong to the [hash](Self::hash).
    pub expected_total: Option<i64>,
}

/// Some tickets of one ticket type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderLine {
    pub ticket_type_id: i64,
    pub quantity: i32,
}

impl Order {
    /// An order to be booked at once. Lines of the same ticket type are added up; lines with quantity 0 are
    /// left out.
    #[must_use]
    pub fn new(wanted: impl IntoIterator<Item = OrderLine>, buyer: Buyer, request_key: String) -> Self {
        let mut lines: Vec<OrderLine> = wanted.into_iter().filter(|line| line.quantity > 0).collect();
        lines.sort_by_key(|line| line.ticket_type_id);
        lines.dedup_by(|line, earlier| {
            let is_same = line.ticket_type_id == earlier.ticket_type_id;
            if is_same {
                earlier.quantity = earlier.quantity.saturating_add(line.quantity);
            }
            is_same
        });
        Self { lines, buyer, request_key, hold_seconds: None, expected_total: None }
    }

    /// An order of one ticket type.
    #[must_use]
    pub fn of_one_type(ticket_type_id: i64, quantity: i32, buyer: Buyer, request_key: String) -> Self {
        Self::new([OrderLine { ticket_type_id, quantity }], buyer, request_key)
    }

    /// The same order, held instead of booked.
    #[must_use]
    pub fn held_for(self, seconds: i32) -> Self {
        Self { hold_seconds: Some(seconds), ..self }
    }

    /// The same order, booked only if it costs this.
    #[must_use]
    pub fn at_total(self, expected_total: Option<i64>) -> Self {
        Self { expected_total, ..self }
    }

    #[must_use]
    pub fn lines(&self) -> &[OrderLine] {
        &self.lines
    }

    /// How many tickets it asks for.
    #[must_use]
    pub fn quantity(&self) -> i32 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.quantity))
    }

    /// How many tickets of a ticket type it asks for.
    #[must_use]
    pub fn quantity_of(&self, ticket_type_id: i64) -> i32 {
        let line = self.lines.iter().find(|line| line.ticket_type_id == ticket_type_id);
        line.map_or(0, |line| line.quantity)
    }

    /// The first of its ticket types that is not on sale, as the board knows it, and why.
    #[must_use]
    pub fn closed_line(&self, board: &Board) -> Option<(i64, NotOnSale)> {
        self.lines.iter().find_map(|&OrderLine { ticket_type_id, .. }| {
            let listing = board.find_by_ticket_type(ticket_type_id)?;
            Some((ticket_type_id, NotOnSale::of(listing.sale_state(ticket_type_id))?))
        })
    }

    /// A hash of what is ordered and for whom. The key does not belong to it: the hash tells whether two
    /// orders with the same key are the same order. Changes to the booking afterward (tickets given back, an
    /// address corrected) do not affect it.
    #[must_use]
    pub fn hash(&self) -> i64 {
        let mut digest = Sha256::new();
        for line in &self.lines {
            digest.update(line.ticket_type_id.to_be_bytes());
            digest.update(line.quantity.to_be_bytes());
        }
        let Buyer { name, contact } = &self.buyer;
        for text in [name.as_str(), contact.kind(), contact.as_str()] {
            digest.update(text.len().to_be_bytes());
            digest.update(text);
        }
        let digest = digest.finalize();
        digest[..8].iter().fold(0, |hash, byte| hash << 8 | i64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(lines: &[(i64, i32)], name: &str) -> Order {
        let lines = lines.iter().map(|&(ticket_type_id, quantity)| OrderLine { ticket_type_id, quantity });
        Order::new(lines, Buyer::with_email(name, "ada@example.org"), "key".into())
    }

    #[test]
    fn lines_of_one_type_are_one_line() {
        let added = order(&[(2, 1), (1, 2), (2, 3), (3, 0)], "Ada");
        assert_eq!(added, order(&[(1, 2), (2, 4)], "Ada"));
        assert_eq!(added.hash(), order(&[(1, 2), (2, 4)], "Ada").hash());
        for other in
            [order(&[(1, 2)], "Ada"), order(&[(1, 4), (2, 2)], "Ada"), order(&[(1, 2), (2, 4)], "Eve")]
        {
            assert_ne!(added.hash(), other.hash());
        }
    }
}
