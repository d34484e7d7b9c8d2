//! The organiser's desk: signing in, watching the sale, and starting it again. Everything here is behind
//! [`session::Admin`], and what changes something is written into the audit log.

pub mod bookings;
pub mod export;
pub mod pages;
pub mod password;
pub mod reseed;
pub mod session;
pub mod store;
pub mod throttle;

use chrono::NaiveDateTime;
use chrono_tz::Tz;

use crate::events::{Event, TicketType};
use crate::mail::State;
use crate::money::Money;

/// The one account that there is.
pub const USERNAME: &str = "admin";

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
pub struct MailState {
    pub state: Option<State>,
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
    pub buyer_email: String,
    pub status: String,
    /// How its confirmation fares, where that was looked up.
    pub mail: Option<MailState>,
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
