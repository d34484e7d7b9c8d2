//! The organizer's pages: watching the sale, finding and canceling bookings, the account, the audit log. Every
//! page but the sign-in is behind [`Admin`](crate::auth::session::Admin), and whatever is done is recorded in the
//! [audit log](crate::audit).
//!
//! How a password is checked does not belong here (see `auth`), nor do the rules of booking and canceling (see
//! `booking`).

pub mod account;
pub mod audit_log;
pub mod bookings;
pub mod export;
pub mod pages;
pub mod password_change;
mod refusal;
pub mod reseed;
pub mod sign_in;
pub mod store;
pub mod terms;

use chrono::{NaiveDateTime, SecondsFormat};
use chrono_tz::Tz;

use crate::events::{Event, TicketType};
use crate::money::Money;
use crate::outbox::MailState;

/// The clock that times are shown on.
#[derive(Debug, Clone, Copy)]
pub struct Clock(pub Tz);

impl Clock {
    /// "Nov 25, 2026, 1:05:09 PM CST"
    #[must_use]
    pub fn local(&self, at: &NaiveDateTime) -> String {
        at.and_utc().with_timezone(&self.0).format("%b %-d, %Y, %-I:%M:%S %p %Z").to_string()
    }

    /// "Nov 25, 2026, 1:05 PM CST"
    #[must_use]
    pub fn minute(&self, at: &NaiveDateTime) -> String {
        at.and_utc().with_timezone(&self.0).format("%b %-d, %Y, %-I:%M %p %Z").to_string()
    }

    /// "2026-11-25 19:05:09 UTC"
    #[must_use]
    pub fn utc(&self, at: &NaiveDateTime) -> String {
        at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// "2026-11-25T19:05:09Z", for machines.
    #[must_use]
    pub fn iso(&self, at: &NaiveDateTime) -> String {
        at.and_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

/// What one tier has sold.
pub struct TierSales {
    pub ticket_type: TicketType,
    /// Tickets in confirmed bookings.
    pub sold: i64,
    pub revenue_cents: i64,
}

impl TierSales {
    #[must_use]
    pub fn revenue(&self, event: &Event) -> Money {
        Money::new(self.revenue_cents, &event.currency)
    }
}

/// A concert's sale so far.
pub struct Sales {
    pub event: Event,
    pub tiers: Vec<TierSales>,
    pub booking_count: i64,
}

impl Sales {
    #[must_use]
    pub fn sold(&self) -> i64 {
        self.tiers.iter().map(|tier| tier.sold).sum()
    }

    #[must_use]
    pub fn capacity(&self) -> i64 {
        self.tiers.iter().map(|tier| i64::from(tier.ticket_type.capacity)).sum()
    }

    #[must_use]
    pub fn available(&self) -> i64 {
        self.tiers.iter().map(|tier| i64::from(tier.ticket_type.available)).sum()
    }

    #[must_use]
    pub fn revenue(&self) -> Money {
        Money::new(self.tiers.iter().map(|tier| tier.revenue_cents).sum(), &self.event.currency)
    }
}

/// How a mail fares.
pub struct ConfirmationStatus {
    pub state: Option<MailState>,
    pub last_error: Option<String>,
}

/// A line of the list of bookings.
pub struct BookingLine {
    pub reference: String,
    pub ticket_type: String,
    pub quantity: i32,
    pub total: Money,
    pub unit_price: Money,
    pub buyer_name: String,
    /// Where there is one: see [`Booking::has_address`](crate::booking::Booking::has_address).
    pub buyer_email: Option<String>,
    pub status: String,
    /// How its confirmation fares, where that was looked up.
    pub mail: Option<ConfirmationStatus>,
    /// UTC.
    pub created_at: NaiveDateTime,
    /// The venue's zone, as the IANA database names it.
    pub time_zone: String,
}

impl BookingLine {
    /// "Nov 22, 1:05 PM", on the venue's clock.
    #[must_use]
    pub fn local_time(&self) -> String {
        let zone = self.time_zone.parse().unwrap_or(Tz::UTC);
        self.created_at.and_utc().with_timezone(&zone).format("%b %-d, %-I:%M %p").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_on_the_venues_clock_and_in_utc() {
        let at = chrono::DateTime::from_timestamp(1_795_633_509, 0).expect("a time").naive_utc();
        let clock = Clock(Tz::America__Chicago);
        assert_eq!(clock.local(&at), "Nov 25, 2026, 1:05:09 PM CST");
        assert_eq!(clock.minute(&at), "Nov 25, 2026, 1:05 PM CST");
        assert_eq!(clock.utc(&at), "2026-11-25 19:05:09 UTC");
        assert_eq!(clock.iso(&at), "2026-11-25T19:05:09Z");
    }
}
