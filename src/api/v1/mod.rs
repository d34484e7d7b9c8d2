//! Version 1 of the API: concerts, ticket types, availability and bookings.
//!
//! Names are in camelCase, amounts are integer cents with a currency, times are RFC 3339 in UTC. The types here are the
//! JSON alone: rules belong to the features.

pub mod booking_json;
pub mod bookings;
pub mod cursor;
pub mod events;
pub mod new_booking;

use chrono::{NaiveDateTime, SecondsFormat};
use serde::Serialize;
use utoipa::ToSchema;

use crate::events::board::Listing;
use crate::events::sale::SaleState;
use crate::money::Money;

/// A time (UTC) to the millisecond: `2027-06-20T01:00:00.000Z`.
#[must_use]
pub fn time(at: NaiveDateTime) -> String {
    at.and_utc().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// An amount of money.
#[derive(Debug, Serialize, ToSchema)]
pub struct Amount {
    /// In the currency's minor unit: cents for USD, yen for JPY.
    #[schema(example = 10_000, minimum = 0)]
    cents: i64,
    /// ISO 4217.
    #[schema(example = "USD")]
    currency: String,
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self { cents: money.minor, currency: money.currency }
    }
}

/// A concert.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
pub struct EventJson {
    /// Event slug.
    #[schema(example = "midnight-parade")]
    slug: String,
    #[schema(example = "Midnight Parade")]
    name: String,
    tagline: String,
    venue: String,
    city: String,
    #[schema(format = DateTime)]
    starts_at: String,
    #[schema(format = DateTime)]
    ends_at: String,
    /// The venue's IANA time zone.
    #[schema(example = "America/Chicago")]
    time_zone: String,
    /// Cancellation deadline for buyers; null if they can't cancel.
    #[schema(format = DateTime, required = true)]
    cancellable_until: Option<String>,
    /// In display order.
    ticket_types: Vec<TicketTypeJson>,
}

impl EventJson {
    fn of(listing: &Listing) -> Self {
        let event = &listing.event;
        Self {
            slug: event.slug.clone(),
            name: event.name.clone(),
            tagline: event.tagline.clone(),
            venue: event.venue.clone(),
            city: event.city.clone(),
            starts_at: time(event.starts_at),
            ends_at: time(event.ends_at),
            time_zone: event.time_zone.clone(),
            cancellable_until: event.cancellable_until().map(time),
            ticket_types: TicketTypeJson::all_of(listing),
        }
    }
}

/// A page of concerts, soonest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventPage)]
pub struct EventPageJson {
    events: Vec<EventJson>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// A ticket type of a concert.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TicketType)]
pub struct TicketTypeJson {
    #[schema(example = "1")]
    id: String,
    #[schema(example = "VIP")]
    name: String,
    description: String,
    price: Amount,
    /// Tickets in total.
    #[schema(minimum = 0, example = 100)]
    capacity: i32,
    /// Tickets left.
    #[schema(minimum = 0, example = 100)]
    available: i32,
    /// Most tickets in one booking.
    #[schema(minimum = 1, example = 10)]
    max_per_booking: i32,
    /// Most tickets per email address, across all bookings; null if there is no limit.
    #[schema(minimum = 1, required = true)]
    max_per_person: Option<i32>,
    /// Whether it can be bought now.
    sale: SaleJson,
    /// When sales start, while `sale` is `not-on-sale-yet`; otherwise null.
    #[schema(format = DateTime, required = true)]
    sales_start_at: Option<String>,
}

/// Whether a ticket type is on sale, and why not.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Sale)]
pub enum SaleJson {
    OnSale,
    NotOnSaleYet,
    SaleEnded,
    SalePaused,
    EventCanceled,
}

impl From<SaleState> for SaleJson {
    fn from(state: SaleState) -> Self {
        match state {
            SaleState::OnSale => Self::OnSale,
            SaleState::NotYet(_) => Self::NotOnSaleYet,
            SaleState::Ended | SaleState::Hidden => Self::SaleEnded,
            SaleState::Paused => Self::SalePaused,
            SaleState::Canceled => Self::EventCanceled,
        }
    }
}

impl TicketTypeJson {
    fn all_of(listing: &Listing) -> Vec<Self> {
        let of = |ticket_type: &crate::events::TicketType| Self {
            id: ticket_type.id.to_string(),
            name: ticket_type.name.clone(),
            description: ticket_type.description.clone(),
            price: ticket_type.price(&listing.event).into(),
            capacity: ticket_type.capacity,
            available: ticket_type.available,
            max_per_booking: ticket_type.most_per_booking(),
            max_per_person: ticket_type.max_per_person,
            sale: listing.sale_state(ticket_type.id).into(),
            sales_start_at: match listing.sale_state(ticket_type.id) {
                SaleState::NotYet(opens) => Some(time(opens)),
                _ => None,
            },
        };
        listing.ticket_types.iter().map(of).collect()
    }
}

/// The ticket types of a concert.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TicketTypes)]
pub struct TicketTypesJson {
    ticket_types: Vec<TicketTypeJson>,
}

/// Tickets left for a concert.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Availability)]
pub struct AvailabilityJson {
    /// Suggested polling interval in seconds; longer while the server is under load.
    #[schema(minimum = 1, example = 5)]
    poll_after_seconds: u32,
    ticket_types: Vec<LeftJson>,
}

/// Tickets left of a ticket type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Left)]
pub struct LeftJson {
    #[schema(example = "1")]
    id: String,
    #[schema(minimum = 0, example = 100)]
    available: i32,
}
