//! Version 1 of the API: concerts, ticket types, availability and bookings, and what an organizer's programs do to
//! concerts.
//!
//! Names are in camelCase, amounts are integer cents with a currency, times are RFC 3339 in UTC. The types
//! here only describe the JSON: rules belong to the features.

pub mod booking_json;
pub mod bookings;
pub mod cursor;
pub mod event_acts;
pub mod event_image;
pub mod event_json;
pub mod events;
pub mod image_json;
pub mod managed_events;
pub mod managed_ticket_types;
pub mod new_booking;
pub mod ticket_type_json;
pub mod typed_json;

use chrono::{NaiveDateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::ticket_type_json::TicketTypeJson;
use crate::money::Money;

/// A time (UTC) to the millisecond: `2027-06-20T01:00:00.000Z`.
#[must_use]
pub fn time(at: NaiveDateTime) -> String {
    at.and_utc().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// An amount of money.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
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
