//! Events and their ticket types. An event is on one date at one venue; each of its ticket types has a price, a
//! capacity, and the number of tickets that are still available. Tables and most types say event, pages say concert.
//! Bookings do not belong here.

pub mod board;
pub mod calendar;
pub mod editing;
pub mod organizer;
pub mod pace;
pub mod pages;
pub mod palette;
pub mod pictures;
pub mod preview;
pub mod refresher;
pub mod sale;
pub mod search_engines;
pub mod seed;
pub mod shared_board;
pub mod sharing;
pub mod store;
pub mod structured_data;
mod words;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use self::pictures::PictureName;
use crate::db::text_enum;
use crate::money::Money;
use crate::schema::{events, ticket_types};

/// Below this share of its capacity a ticket type is shown as selling fast, in percent.
const LOW_STOCK_PERCENT: i64 = 40;
/// Below this number of tickets the page says how many are left.
pub const NEARLY_GONE: i32 = 10;
/// How many accents the site has.
const ACCENTS: i32 = 3;

text_enum! {
    /// What an event is to the public.
    EventState {
        /// Only the organizer sees it.
        Draft = "draft",
        Published = "published",
        /// It does not take place. Its page says so.
        Canceled = "canceled",
        /// Put away by the organizer: over, canceled, or a draft that is not needed. It can be restored.
        Archived = "archived",
    }
}

impl EventState {
    /// Whether its facts can no longer be changed.
    #[must_use]
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Canceled | Self::Archived)
    }
}

text_enum! {
    /// What a ticket type is to the public.
    TicketTypeState {
        OnSale = "on_sale",
        Paused = "paused",
        /// Only the organizer sees it.
        Hidden = "hidden",
    }
}

text_enum! {
    /// Where tickets are paid for. Free ones need neither.
    PaymentChoice {
        Venue = "venue",
        Online = "online",
        /// The buyer chooses.
        Both = "both",
    }
}

impl PaymentChoice {
    /// What the organizer's form calls it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Venue => "At the venue",
            Self::Online => "Online, when they are booked",
            Self::Both => "Online or at the venue: the buyer chooses",
        }
    }
}

/// The default for messages from servers of the previous release, which do not send this field.
fn at_venue() -> PaymentChoice {
    PaymentChoice::Venue
}

/// A concert.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = events)]
pub struct Event {
    pub id: i64,
    pub slug: String,
    pub name: String,
    pub tagline: String,
    pub description: String,
    pub venue: String,
    pub address: String,
    pub city: String,
    /// UTC.
    pub doors_at: Option<NaiveDateTime>,
    /// UTC.
    pub starts_at: NaiveDateTime,
    /// UTC.
    pub ends_at: NaiveDateTime,
    /// The venue's zone, as the IANA database names it.
    pub time_zone: String,
    /// ISO 4217.
    pub currency: String,
    /// The name of its picture: see [`pictures::PictureName`].
    pub image: Option<String>,
    /// In years.
    pub age_limit: Option<i32>,
    pub organizer_name: String,
    /// Ways to reach the organizer, as typed: see [`Event::organizer_contacts`].
    pub organizer_contact: String,
    pub state: EventState,
    /// UTC. `None`: from publication on.
    pub sales_start_at: Option<NaiveDateTime>,
    /// UTC. `None`: until the start of the show.
    pub sales_end_at: Option<NaiveDateTime>,
    /// Whether the organizer has paused all sales.
    pub paused: bool,
    /// Whether it is on the front page, in the sitemap and in the API's list. An unlisted one is found by its link.
    pub listed: bool,
    /// Until how many minutes before the start a buyer may cancel. `None`: only the organizer may.
    pub cancellation_deadline_minutes: Option<i32>,
    /// Grows with every change of the row.
    pub facts_version: i64,
    /// The description as pages show it, made from its Markdown.
    pub description_html: String,
    /// What people with a disability should know.
    pub accessibility: String,
    /// UTC. The date before it was postponed for the first time.
    pub postponed_from: Option<NaiveDateTime>,
    /// UTC. A buyer may cancel until then, whatever the deadline says.
    pub returns_until: Option<NaiveDateTime>,
    /// The state before it was archived.
    pub archived_from: Option<EventState>,
    /// Describes what the picture shows.
    pub image_alt: String,
    #[serde(default = "at_venue")]
    pub payment: PaymentChoice,
    /// The fee kept for each returned ticket that was paid for online. `None`: returned tickets are not refunded.
    #[serde(default)]
    pub refund_fee_minor: Option<i64>,
}

impl Event {
    /// The fee kept for each returned ticket that was paid for online. `None`: returned tickets are not refunded.
    #[must_use]
    pub fn refund_fee(&self) -> Option<crate::money::Money> {
        self.refund_fee_minor.map(|fee| crate::money::Money::new(fee, &self.currency))
    }

    /// Its picture, if it has one.
    #[must_use]
    pub fn picture(&self) -> Option<PictureName> {
        self.image.as_deref().and_then(PictureName::parse)
    }
}

/// How the slug of a rehearsal's copy begins. Twenty hexadecimal digits follow.
pub const REHEARSAL_SLUG: &str = "rehearsal-";

impl Event {
    /// Whether it is the copy that a rehearsal sells.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        let digits = self.slug.strip_prefix(REHEARSAL_SLUG);
        !self.listed && digits.is_some_and(|it| it.len() == 20 && it.bytes().all(|b| b.is_ascii_hexdigit()))
    }
}

/// Whether a text can be a concert's slug at all; PostgreSQL refuses to even compare some that cannot.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A ticket type of a concert.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = ticket_types)]
pub struct TicketType {
    pub id: i64,
    pub event_id: i64,
    pub name: String,
    pub description: String,
    /// In the minor unit of the event's currency.
    pub price_minor: i64,
    pub capacity: i32,
    pub available: i32,
    pub max_per_booking: i32,
    /// The most tickets of this ticket type that one email address may hold, in all of its bookings together.
    pub max_per_person: Option<i32>,
    /// The order in which ticket types are shown, from 1.
    pub position: i32,
    pub icon: Option<String>,
    pub accent: Option<i32>,
    pub state: TicketTypeState,
    /// UTC. `None`: with the event's sales.
    pub sales_start_at: Option<NaiveDateTime>,
    /// UTC. `None`: with the event's sales.
    pub sales_end_at: Option<NaiveDateTime>,
    /// Grows with every change of `available`.
    pub version: i64,
    /// Grows with every change of anything else.
    pub facts_version: i64,
    /// The tax rate that the price includes, in hundredths of a percent. `None`: not stated.
    #[serde(default)]
    pub tax_rate: Option<i32>,
}

/// Tickets of a ticket type that bookings hold for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldTickets {
    pub ticket_type_id: i64,
    pub quantity: i32,
    /// When the last of these holds ends. UTC.
    pub until: NaiveDateTime,
}

impl TicketType {
    /// The tax that the price includes, in percent: "8.25".
    #[must_use]
    pub fn tax_percent(&self) -> Option<String> {
        self.tax_rate.map(|rate| format!("{}.{:02}", rate / 100, rate % 100))
    }

    #[must_use]
    pub fn is_sold_out(&self) -> bool {
        self.available == 0
    }

    /// Under 40 % of the capacity is left, and something is.
    #[must_use]
    pub fn is_low_stock(&self) -> bool {
        let (available, capacity) = (i64::from(self.available), i64::from(self.capacity));
        available > 0 && available * 100 < capacity * LOW_STOCK_PERCENT
    }

    /// Stock is low, and so few are left that the page counts them.
    #[must_use]
    pub fn is_nearly_gone(&self) -> bool {
        self.is_low_stock() && self.available < NEARLY_GONE
    }

    /// The most that one booking can ever hold.
    #[must_use]
    pub fn most_per_booking(&self) -> i32 {
        self.max_per_person.map_or(self.max_per_booking, |most| most.min(self.max_per_booking))
    }

    /// The most that one booking can take now.
    #[must_use]
    pub fn most_bookable(&self) -> i32 {
        self.most_per_booking().min(self.available)
    }

    /// Why one booking cannot take more of it now: "Limit: 4 tickets per person.", "Only 3 tickets left."
    #[must_use]
    pub fn limit_words(&self) -> String {
        let words = |many: i32| if many == 1 { "1 ticket".to_owned() } else { format!("{many} tickets") };
        let most = self.most_per_booking();
        if self.available < most {
            return format!("Only {} left.", words(self.available));
        }
        let whom = if self.max_per_person == Some(most) { "person" } else { "booking" };
        format!("Limit: {} per {whom}.", words(most))
    }

    #[must_use]
    pub fn price(&self, event: &Event) -> Money {
        Money::new(self.price_minor, &event.currency)
    }

    #[must_use]
    pub fn total(&self, quantity: i32, event: &Event) -> Money {
        Money::new(self.price_minor.saturating_mul(quantity.into()), &event.currency)
    }

    /// The number of the ticket type's accent color: its own, or the next one in turn by its position.
    #[must_use]
    pub fn accent_class(&self) -> i32 {
        (self.accent.unwrap_or(self.position) - 1).rem_euclid(ACCENTS) + 1
    }
}

/// A concert with all that the board shows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concert {
    pub event: Event,
    /// In the order in which they are shown.
    pub ticket_types: Vec<TicketType>,
    pub held: Vec<HeldTickets>,
    /// Slugs that it had before. They lead to it.
    pub former_slugs: Vec<String>,
}

/// How many tickets of a ticket type are left, and which version of its row said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    pub ticket_type_id: i64,
    pub available: i32,
    pub version: i64,
}

#[cfg(test)]
pub(crate) mod tests;
