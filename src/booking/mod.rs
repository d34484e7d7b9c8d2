//! Bookings: a buyer takes tickets of one or several ticket types of a concert, all of them or none.
//!
//! Every order of a running server goes through [`desk::Desk::book`] and comes back as a [`BookingOutcome`].
//! A booking is found again by its token, which only its buyer knows, or by its reference, which people read
//! aloud. Whatever ends a booking gives its tickets back through [`release`].
//!
//! An order's way: [`pages`] reads and checks its [`form`]; [`taking`] checks the waiting room's pass and the
//! rate limit; the [`desk`] puts it into a batch, which [`store`] books in one transaction; `replay` and
//! `found` decide what the buyer sees.
//!
//! Paying for a booking does not belong here: see `payment`. Nor does what happens at the gate: see `tickets`.

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

use chrono::NaiveDateTime;
use diesel::prelude::*;

use self::buyer::Contact;
pub use self::codes::{
    REFERENCE_ALPHABET, digits, is_token, new_reference, new_token, number, parse_reference,
};
pub use self::order::{Order, OrderLine, QuantityError, parse_more, parse_quantity};
pub use self::placed::{PlacedBooking, PlacedLine};
use crate::db::text_enum;
use crate::events::sale::SaleState;
use crate::money::Money;
use crate::schema::booking_lines;

/// The result of an order.
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

/// Why tickets are not sold now.
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
    /// The reason that belongs to a sale state. `None`: on sale, or hidden: a hidden ticket type is unknown
    /// to buyers.
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
        /// All of its tickets were given back.
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
    /// For links: anybody who has it may see, correct and cancel the booking.
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

    /// The price of all that was ordered, whatever was given back since.
    #[must_use]
    pub fn total(&self) -> Money {
        Money::new(self.total_minor, &self.currency)
    }
}
