//! An order: what a buyer asks the desk for, whether it is held to be paid for online, and the booking it becomes.

use chrono::NaiveDateTime;
use sha2::{Digest as _, Sha256};

use super::buyer::Buyer;
use super::{Booking, BookingLine, BookingStatus, NotOnSale};
use crate::events::PaymentChoice;
use crate::events::board::{Board, Listing};
use crate::guard::typed_number;

/// How long tickets are held until somebody asks for a payment page.
const PAY_SECONDS: i32 = 15 * 60;

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

/// The concert is paid for online, and this site has no account to pay to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoWayToPay;

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

    /// The order, held where it is to be paid for online. What is free is booked at once. `wants_online`: what the
    /// buyer has chosen, where the concert leaves the choice; `can_pay_online`: whether this site has an account.
    ///
    /// # Errors
    /// [`NoWayToPay`].
    pub fn held_if_paid_online(
        self,
        listing: &Listing,
        wants_online: bool,
        can_pay_online: bool,
    ) -> Result<Self, NoWayToPay> {
        let price = |id: i64| listing.ticket_type(id).map_or(0, |it| it.price_minor);
        let is_due = self.lines().iter().any(|line| price(line.ticket_type_id) > 0);
        match listing.event.payment {
            PaymentChoice::Online if is_due && !can_pay_online => Err(NoWayToPay),
            PaymentChoice::Online if is_due => Ok(self.held_for(PAY_SECONDS)),
            PaymentChoice::Both if is_due && can_pay_online && wants_online => Ok(self.held_for(PAY_SECONDS)),
            _ => Ok(self),
        }
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

    /// The booking that it becomes. `place`: its id, its event's, and the event's currency; `codes`: its reference
    /// and token.
    #[must_use]
    pub fn to_booking(
        &self,
        (id, event_id, currency): (i64, i64, String),
        lines: Vec<BookingLine>,
        created_at: NaiveDateTime,
        (reference, token): (String, String),
    ) -> Booking {
        let price = |line: &BookingLine| line.unit_price_minor.saturating_mul(line.quantity.into());
        Booking {
            id,
            event_id,
            reference,
            token,
            status: if self.hold_seconds.is_some() { BookingStatus::Held } else { BookingStatus::Confirmed },
            currency,
            total_minor: lines.iter().map(price).sum(),
            buyer_name: self.buyer.name.clone(),
            buyer: self.buyer.contact.clone(),
            created_at,
            canceled_at: None,
            lines,
        }
    }
}

/// Why a text is not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantityError {
    NoNumber,
    Zero,
    TooMany,
}

/// Reads how many tickets are wanted.
///
/// # Errors
/// Why it is not a quantity.
pub fn parse_quantity(typed: &str, most: i32) -> Result<i32, QuantityError> {
    let number = typed_number::whole(typed).filter(|number| !number.starts_with('-'));
    match number.ok_or(QuantityError::NoNumber)?.parse() {
        Ok(0) => Err(QuantityError::Zero),
        Ok(quantity) if quantity <= most => Ok(quantity),
        // A number, even if it does not fit an i32.
        _ => Err(QuantityError::TooMany),
    }
}

/// As [`parse_quantity`], for a ticket type that a buyer may leave out: 0 is a quantity too.
///
/// # Errors
/// Why it is not a quantity.
pub fn parse_more(typed: &str, most: i32) -> Result<i32, QuantityError> {
    match parse_quantity(typed, most) {
        Err(QuantityError::Zero) => Ok(0),
        other => other,
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

    #[test]
    fn quantities_run_from_one_to_the_limit_of_the_ticket_type() {
        assert_eq!(parse_quantity("1", 10), Ok(1));
        assert_eq!(parse_quantity(" 10 ", 10), Ok(10));
        assert_eq!((parse_quantity("٣", 10), parse_quantity("３", 10)), (Ok(3), Ok(3)));
        assert_eq!((parse_quantity("2.0", 10), parse_quantity("2,0", 10)), (Ok(2), Ok(2)));
        for bad in ["", "0", "11", "-1", "-0", "+1", "1.5", "1,5", "abc", "1e1", "99999999999999999999"] {
            assert!(parse_quantity(bad, 10).is_err(), "{bad}");
        }
    }
}
