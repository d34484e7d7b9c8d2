//! Bookings: a buyer takes some tickets of one ticket type, all of them or none.
//!
//! The order goes through one door, [`desk::Desk::book`], and comes back as an [`BookingOutcome`]. A booking is
//! found again by its token, which only its buyer knows, or by its reference, which is read out aloud.

pub mod buyer;
pub mod calendar;
pub mod cancellation;
pub mod desk;
pub mod form;
pub mod lookup;
pub mod messages;
pub mod pages;
pub mod request_key;
pub mod store;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use rand::RngExt as _;

use crate::booking::buyer::Buyer;
use crate::events::{Event, TicketType};
use crate::money::Money;
use crate::schema::bookings;

/// What a buyer asks the desk for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub ticket_type_id: i64,
    pub quantity: i32,
    pub buyer: Buyer,
    /// Two orders with the same key are one order sent twice.
    pub request_key: String,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookingOutcome {
    /// The tickets are the buyer's.
    Booked(Booking),
    /// They already were: the same order came before.
    Replayed(Booking),
    /// Fewer are left than were asked for; nothing was taken.
    NotEnough {
        left: i32,
    },
    /// The buyer's email address would hold more than one person may; nothing was taken.
    OverPersonLimit {
        /// The most of this ticket type that one address may hold.
        limit: i32,
        /// What it holds already. Not for the page: its reader may not be the address's owner.
        held: i32,
    },
    /// The key has booked something else, or for somebody else; nothing was taken.
    KeyReused(Booking),
    UnknownTicketType,
}

/// A sale: confirmed, or canceled since.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = bookings)]
pub struct Booking {
    /// For people: `TK-7F3K-9QXM`.
    pub reference: String,
    /// For links: who holds it may see the booking.
    pub token: String,
    pub ticket_type_id: i64,
    pub quantity: i32,
    pub unit_price_cents: i64,
    pub total_cents: i64,
    /// ISO 4217.
    pub currency: String,
    pub buyer_name: String,
    pub buyer_email: String,
    pub status: String,
    /// UTC.
    pub created_at: NaiveDateTime,
    /// UTC.
    pub cancelled_at: Option<NaiveDateTime>,
}

impl Booking {
    /// The booking that an order becomes at a price in cents.
    #[must_use]
    pub fn of(order: &Order, unit_price_cents: i64, currency: String, created_at: NaiveDateTime) -> Self {
        Self {
            reference: new_reference(),
            token: new_token(),
            ticket_type_id: order.ticket_type_id,
            quantity: order.quantity,
            unit_price_cents,
            total_cents: unit_price_cents.saturating_mul(order.quantity.into()),
            currency,
            buyer_name: order.buyer.name.clone(),
            buyer_email: order.buyer.email.clone(),
            status: CONFIRMED.to_owned(),
            created_at,
            cancelled_at: None,
        }
    }

    /// The same booking at the price that its ticket type turned out to have.
    fn priced(self, unit_price_cents: i64, currency: String) -> Self {
        let total_cents = unit_price_cents.saturating_mul(self.quantity.into());
        Self { unit_price_cents, total_cents, currency, ..self }
    }

    /// Whether the booking is what the order asks for.
    fn is_of(&self, order: &Order) -> bool {
        (self.ticket_type_id, self.quantity) == (order.ticket_type_id, order.quantity)
            && (&self.buyer_name, &self.buyer_email) == (&order.buyer.name, &order.buyer.email)
    }

    #[must_use]
    pub fn is_canceled(&self) -> bool {
        self.status == CANCELED
    }

    #[must_use]
    pub fn total(&self) -> Money {
        Money::new(self.total_cents, &self.currency)
    }

    #[must_use]
    pub fn unit_price(&self) -> Money {
        Money::new(self.unit_price_cents, &self.currency)
    }
}

/// A booking with its ticket type and event.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = bookings)]
pub struct PlacedBooking {
    #[diesel(embed)]
    pub booking: Booking,
    #[diesel(embed)]
    pub ticket_type: TicketType,
    #[diesel(embed)]
    pub event: Event,
}

/// The status of a booking whose tickets are the buyer's.
pub const CONFIRMED: &str = "confirmed";
/// The status of one whose tickets are on sale again.
pub const CANCELED: &str = "cancelled";

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
    let typed = typed.trim();
    let is_number = !typed.is_empty() && typed.bytes().all(|b| b.is_ascii_digit());
    match typed.parse::<i32>() {
        Ok(0) => Err(QuantityError::Zero),
        Ok(quantity) if is_number && quantity <= most => Ok(quantity),
        // A number, even if it does not fit an i32.
        _ if is_number => Err(QuantityError::TooMany),
        _ => Err(QuantityError::NoNumber),
    }
}

/// Digits and capitals that nobody mistakes for one another when they are read out or typed.
pub const REFERENCE_ALPHABET: &[u8] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A new reference in readable groups. 30⁸ of them make a clash rare, and the schema refuses it.
#[must_use]
pub fn new_reference() -> String {
    let mut random = rand::rng();
    let mut group = || -> String {
        (0..4)
            .map(|_| char::from(REFERENCE_ALPHABET[random.random_range(..REFERENCE_ALPHABET.len())]))
            .collect()
    };
    format!("TK-{}-{}", group(), group())
}

/// A reference as somebody types or reads it out: in small letters, without its hyphens or its `TK`. `None`
/// when it can be none.
#[must_use]
pub fn parse_reference(typed: &str) -> Option<String> {
    let letters = typed.chars().filter(|c| !c.is_whitespace() && *c != '-');
    let code = letters.collect::<String>().to_ascii_uppercase();
    let code = code.strip_prefix("TK").filter(|rest| rest.len() == 8).unwrap_or(&code);
    let is_code = code.len() == 8 && code.bytes().all(|b| REFERENCE_ALPHABET.contains(&b));
    is_code.then(|| format!("TK-{}-{}", &code[..4], &code[4..]))
}

/// A new token: the time and 96 random bits.
#[must_use]
pub fn new_token() -> String {
    URL_SAFE_NO_PAD.encode(request_key::dated_nonce())
}

/// Whether a text can be a token at all; PostgreSQL refuses to even compare some that cannot.
#[must_use]
pub fn is_token(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_readable_and_tokens_fit_a_url() {
        let reference = new_reference();
        assert_eq!(reference.len(), "TK-7F3K-9QXM".len());
        assert!(!reference[3..].contains(['0', '1', 'I', 'L', 'O', 'U']));
        assert_eq!(parse_reference(&reference).as_ref(), Some(&reference));
        assert_eq!(parse_reference(" tk 7f3k-9qxm ").as_deref(), Some("TK-7F3K-9QXM"));
        assert_eq!(parse_reference("tk3k9qxm").as_deref(), Some("TK-TK3K-9QXM"));
        for bad in ["", "TK", "TK-7F3K-9QX", "TK-7F3K-9QX0", "7F3K\09QXM", "ÄÖÜÄ"] {
            assert_eq!(parse_reference(bad), None, "{bad}");
        }
        assert!(is_token(&new_token()) && !is_token("") && !is_token("a\0"));
        assert_ne!(new_token(), new_token());
    }

    #[test]
    fn quantities_run_from_one_to_the_limit_of_the_ticket_type() {
        assert_eq!(parse_quantity("1", 10), Ok(1));
        assert_eq!(parse_quantity(" 10 ", 10), Ok(10));
        for bad in ["", "0", "11", "-1", "+1", "1.5", "abc", "٣", "1e1", "99999999999999999999"] {
            assert!(parse_quantity(bad, 10).is_err(), "{bad}");
        }
    }
}
