//! Bookings: a buyer takes tickets of one or several ticket types of a concert, all of them or none.
//!
//! Every order goes through [`desk::Desk::book`] and comes back as a [`BookingOutcome`]. A booking is found
//! again by its token, which only its buyer knows, or by its reference, which is read out aloud. Whatever
//! ends a booking gives its tickets back through [`release`].
//!
//! An order's way: [`pages`] reads and checks its [`form`]; [`taking`] checks the waiting room's pass and the
//! rate limit; the [`desk`] puts it into a batch, which [`store`] books in one transaction; `replay` and
//! `found` decide what the buyer sees.

pub mod buyer;
pub mod calendar;
pub mod cancellation;
mod checkout;
mod codes;
pub mod correction;
pub mod desk;
pub mod event_jobs;
pub mod forgetting;
pub mod form;
mod found;
pub mod lookup;
pub mod messages;
pub mod order;
pub mod pages;
mod placed;
pub mod reference_key;
pub mod release;
mod replay;
pub mod request_key;
pub mod search;
pub mod store;
pub mod taking;
pub mod way_to_pay;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use self::buyer::Contact;
pub use self::codes::{
    REFERENCE_ALPHABET, digits, is_token, new_reference, new_token, number, parse_reference,
};
pub use self::order::{Order, OrderLine};
pub use self::placed::{PlacedBooking, PlacedLine};
use crate::db::text_enum;
use crate::events::sale::SaleState;
use crate::guard::typed_number;
use crate::money::Money;
use crate::schema::booking_lines;

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookingOutcome {
    /// The tickets are the buyer's.
    Booked(Booking),
    /// They already were: the same order came before.
    Replayed(Booking),
    /// Fewer are left than were asked for; nothing was taken.
    NotEnough {
        /// What is left, for each line of the order.
        left: Vec<i32>,
    },
    /// The buyer would hold more than one person may; nothing was taken.
    OverPersonLimit {
        ticket_type_id: i64,
        /// The most of this ticket type that one person may hold.
        limit: i32,
        /// What the person holds already. Not for the page: its reader may not be the address's owner.
        held: i32,
    },
    /// A ticket type is not on sale; nothing was taken.
    NotOnSale {
        ticket_type_id: i64,
        why: NotOnSale,
    },
    /// The total is not the one that the buyer was shown; nothing was taken.
    OtherTotal {
        /// What it costs now, in the currency's minor unit.
        total_minor: i64,
    },
    /// The key has booked something else, or for somebody else; nothing was taken.
    KeyReused(Booking),
    UnknownTicketType,
}

/// Why the database refused to sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOnSale {
    NotYet,
    Ended,
    Paused,
    Canceled,
    /// The order has no pass of the concert's waiting room, or an expired one.
    WaitingRoom,
}

impl NotOnSale {
    /// The reason, as the board knows it.
    #[must_use]
    pub fn of(state: SaleState) -> Option<Self> {
        match state {
            SaleState::OnSale | SaleState::Hidden => None,
            SaleState::NotYet(_) => Some(Self::NotYet),
            SaleState::Ended => Some(Self::Ended),
            SaleState::Paused => Some(Self::Paused),
            SaleState::Canceled => Some(Self::Canceled),
        }
    }
}

text_enum! {
    /// What a booking is: held, then confirmed or expired; confirmed, then perhaps canceled.
    BookingStatus {
        /// Its tickets are kept for a while.
        Held = "held",
        /// Its tickets are the buyer's.
        Confirmed = "confirmed",
        /// The hold was not confirmed in time.
        Expired = "expired",
        /// Its tickets are on sale again.
        Canceled = "canceled",
    }
}

/// A booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    pub id: i64,
    pub event_id: i64,
    /// For people: `TK-7F3K-9QXM`.
    pub reference: String,
    /// For links: anybody who has it may see the booking.
    pub token: String,
    pub status: BookingStatus,
    /// ISO 4217.
    pub currency: String,
    /// What was ordered, in the currency's minor unit.
    pub total_minor: i64,
    pub buyer_name: String,
    pub buyer: Contact,
    /// UTC.
    pub created_at: NaiveDateTime,
    /// UTC.
    pub canceled_at: Option<NaiveDateTime>,
    /// In the order of the ticket types' ids.
    pub lines: Vec<BookingLine>,
}

/// The tickets of one ticket type in a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = booking_lines)]
pub struct BookingLine {
    pub booking_id: i64,
    pub ticket_type_id: i64,
    /// What was ordered. It never changes: tickets are numbered by it.
    pub quantity: i32,
    /// In the minor unit of the booking's currency.
    pub unit_price_minor: i64,
    /// How many of them were given back.
    pub returned: i32,
}

impl BookingLine {
    /// How many tickets are still the buyer's.
    #[must_use]
    pub fn kept(&self) -> i32 {
        self.quantity - self.returned
    }
}

impl Booking {
    /// The booking that an order becomes. `place`: its id, its event's, and the event's currency; `codes`: its
    /// reference and token.
    #[must_use]
    pub fn fresh(
        order: &Order,
        (id, event_id, currency): (i64, i64, String),
        lines: Vec<BookingLine>,
        created_at: NaiveDateTime,
        (reference, token): (String, String),
    ) -> Self {
        let price = |line: &BookingLine| line.unit_price_minor.saturating_mul(line.quantity.into());
        Self {
            id,
            event_id,
            reference,
            token,
            status: if order.hold_seconds.is_some() { BookingStatus::Held } else { BookingStatus::Confirmed },
            currency,
            total_minor: lines.iter().map(price).sum(),
            buyer_name: order.buyer.name.clone(),
            buyer: order.buyer.contact.clone(),
            created_at,
            canceled_at: None,
            lines,
        }
    }

    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.status == BookingStatus::Confirmed
    }

    #[must_use]
    pub fn is_held(&self) -> bool {
        self.status == BookingStatus::Held
    }

    #[must_use]
    pub fn is_canceled(&self) -> bool {
        self.status == BookingStatus::Canceled
    }

    /// How many tickets were ordered. Seats are numbered from 1 to it.
    #[must_use]
    pub fn quantity(&self) -> i32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }

    /// The ticket type of a seat. Seats are numbered through the lines.
    #[must_use]
    pub fn ticket_type_of_seat(&self, seat: i32) -> Option<i64> {
        self.line_of_seat(seat).map(|line| line.ticket_type_id)
    }

    /// What the ticket of a seat costs.
    #[must_use]
    pub fn price_of_seat(&self, seat: i32) -> Option<Money> {
        self.line_of_seat(seat).map(|line| Money::new(line.unit_price_minor, &self.currency))
    }

    fn line_of_seat(&self, seat: i32) -> Option<&BookingLine> {
        let mut last = 0;
        let line = self.lines.iter().find(|line| {
            last += line.quantity;
            seat <= last
        });
        line.filter(|_| seat > 0)
    }

    /// The address as people read it, or nothing.
    #[must_use]
    pub fn shown_email(&self) -> String {
        self.buyer.shown_email().unwrap_or_default()
    }

    /// The address, where there is one.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.buyer.email()
    }

    /// Whether there is an address to write to.
    #[must_use]
    pub fn has_address(&self) -> bool {
        self.email().is_some()
    }

    /// What was ordered.
    #[must_use]
    pub fn total(&self) -> Money {
        Money::new(self.total_minor, &self.currency)
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
