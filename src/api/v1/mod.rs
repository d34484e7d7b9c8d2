//! Version 1 of the API: concerts, ticket types, availability and bookings.
//!
//! Names are in camelCase, amounts are integer cents with a currency, times are RFC 3339 in UTC. The types here are the
//! JSON alone: rules belong to the features.

pub mod bookings;
pub mod cursor;
pub mod events;
pub mod new_booking;

use chrono::{NaiveDateTime, SecondsFormat};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::booking::CONFIRMED;
use crate::events::board::Listing;
use crate::money::Money;
use crate::tickets;

/// A time (UTC) to the millisecond: `2027-06-20T01:00:00.000Z`.
#[must_use]
pub fn time(at: NaiveDateTime) -> String {
    at.and_utc().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// An amount of money.
#[derive(Debug, Serialize, ToSchema)]
pub struct Amount {
    /// In minor units (cents).
    #[schema(example = 10_000, minimum = 0)]
    cents: i64,
    /// ISO 4217.
    #[schema(example = "USD")]
    currency: String,
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self { cents: money.cents, currency: money.currency }
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
}

impl TicketTypeJson {
    fn all_of(listing: &Listing) -> Vec<Self> {
        let of = |tier: &crate::events::TicketType| Self {
            id: tier.id.to_string(),
            name: tier.name.clone(),
            description: tier.description.clone(),
            price: tier.price(&listing.event).into(),
            capacity: tier.capacity,
            available: tier.available,
            max_per_booking: tier.most_per_booking(),
            max_per_person: tier.max_per_person,
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

/// A booking.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Booking)]
pub struct BookingJson {
    /// The booking token: anyone with it can view and cancel the booking.
    #[schema(example = "AZ3xyq0newbookings123_-4")]
    token: String,
    /// Human-readable reference.
    #[schema(example = "TK-7F3K-9QXM")]
    reference: String,
    status: BookingStatusJson,
    /// Event slug.
    #[schema(example = "midnight-parade")]
    event: String,
    #[schema(example = "1")]
    ticket_type_id: String,
    #[schema(minimum = 1, example = 2)]
    quantity: i32,
    unit_price: Amount,
    /// Due at the venue: nothing is charged online.
    total: Amount,
    buyer: BuyerJson,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime, required = true)]
    cancelled_at: Option<String>,
    /// Cancellation deadline; null if the booking can't be canceled.
    #[schema(format = DateTime, required = true)]
    cancellable_until: Option<String>,
    /// One per seat; empty if the booking is canceled.
    tickets: Vec<TicketJson>,
    /// The booking's web page, with the tickets as QR codes.
    #[schema(format = "uri")]
    page: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = BookingStatus)]
pub enum BookingStatusJson {
    Confirmed,
    /// Existing clients know this spelling.
    #[serde(rename = "cancelled")]
    Canceled,
}

/// Who booked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Buyer)]
pub struct BuyerJson {
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// Null for bookings made with the legacy API, whose buyer is a `userId`.
    #[schema(required = true, example = "ada@example.org")]
    email: Option<String>,
}

/// A ticket. It admits one person, once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ticket)]
pub struct TicketJson {
    /// From 1 to the booking's quantity.
    #[schema(minimum = 1, example = 1)]
    seat: i32,
    /// The content of the QR code.
    #[schema(example = "7F3K-9QXM-222R-KD84-TQ2H")]
    code: String,
}

impl BookingJson {
    fn of(app: &App, booking: &crate::booking::Booking, event: &crate::events::Event) -> Self {
        let is_confirmed = booking.status == CONFIRMED;
        let tickets = if is_confirmed { tickets::of_booking(&app.ticket_codes, booking) } else { Vec::new() };
        Self {
            token: booking.token.clone(),
            reference: booking.reference.clone(),
            status: if is_confirmed { BookingStatusJson::Confirmed } else { BookingStatusJson::Canceled },
            event: event.slug.clone(),
            ticket_type_id: booking.ticket_type_id.to_string(),
            quantity: booking.quantity,
            unit_price: booking.unit_price().into(),
            total: booking.total().into(),
            buyer: BuyerJson {
                name: booking.buyer_name.clone(),
                email: booking.has_address().then(|| booking.buyer_email.clone()),
            },
            created_at: time(booking.created_at),
            cancelled_at: booking.cancelled_at.map(time),
            cancellable_until: event.cancellable_until().map(time),
            tickets: tickets.into_iter().map(|it| TicketJson { seat: it.seat, code: it.code }).collect(),
            page: format!("{}/bookings/{}", &app.public_url, booking.token),
        }
    }
}
