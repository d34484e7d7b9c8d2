//! The first version of the API: concerts, their ticket types, what is left of them, and bookings.
//!
//! Names are written as JavaScript does, amounts are whole cents with their currency, times are RFC 3339 in UTC.

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
    /// In hundredths of the currency's unit.
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
pub struct Event {
    /// Its name in addresses.
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
    /// The venue's zone, as the IANA database names it.
    #[schema(example = "America/Chicago")]
    time_zone: String,
    /// Until when a buyer may cancel; null: not at all.
    #[schema(format = DateTime, required = true)]
    cancellable_until: Option<String>,
    /// In the order in which they are shown.
    ticket_types: Vec<TicketType>,
}

impl Event {
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
            ticket_types: TicketType::all_of(listing),
        }
    }
}

/// Some concerts, the next one first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventPage {
    events: Vec<Event>,
    /// The `cursor` of the page that follows; null: this is the last one.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// A kind of ticket of one concert.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TicketType {
    #[schema(example = "1")]
    id: String,
    #[schema(example = "VIP")]
    name: String,
    description: String,
    price: Amount,
    /// How many there are in all.
    #[schema(minimum = 0, example = 100)]
    capacity: i32,
    /// How many are left.
    #[schema(minimum = 0, example = 100)]
    available: i32,
    /// The most that one booking may hold.
    #[schema(minimum = 1, example = 10)]
    max_per_booking: i32,
    /// The most that one email address may hold in all of its bookings; null: no limit.
    #[schema(minimum = 1, required = true)]
    max_per_person: Option<i32>,
}

impl TicketType {
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
pub struct TicketTypes {
    ticket_types: Vec<TicketType>,
}

/// What is left of a concert's tickets.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// In how many seconds it is worth to ask again; more while the server is under stress.
    #[schema(minimum = 1, example = 5)]
    poll_after_seconds: u32,
    ticket_types: Vec<Left>,
}

/// What is left of a ticket type.
#[derive(Debug, Serialize, ToSchema)]
pub struct Left {
    #[schema(example = "1")]
    id: String,
    #[schema(minimum = 0, example = 100)]
    available: i32,
}

/// A sale.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Booking {
    /// Opens the booking: whoever has it may see and cancel it.
    #[schema(example = "AZ3xyq0newbookings123_-4")]
    token: String,
    /// For people to read out.
    #[schema(example = "TK-7F3K-9QXM")]
    reference: String,
    status: Status,
    /// The concert's slug.
    #[schema(example = "midnight-parade")]
    event: String,
    #[schema(example = "1")]
    ticket_type_id: String,
    #[schema(minimum = 1, example = 2)]
    quantity: i32,
    unit_price: Amount,
    /// What is to be paid at the venue: nothing is charged online.
    total: Amount,
    buyer: Buyer,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime, required = true)]
    cancelled_at: Option<String>,
    /// Until when it may be canceled; null: not at all.
    #[schema(format = DateTime, required = true)]
    cancellable_until: Option<String>,
    /// One for each seat; none when the booking is canceled.
    tickets: Vec<Ticket>,
    /// The booking's page, with the tickets as QR codes.
    #[schema(format = "uri")]
    page: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = BookingStatus)]
pub enum Status {
    Confirmed,
    /// Spelled as the first clients know it.
    #[serde(rename = "cancelled")]
    Canceled,
}

/// Who has booked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Buyer {
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// Null: a booking of the first contract, whose buyer is a `userId`.
    #[schema(required = true, example = "ada@example.org")]
    email: Option<String>,
}

/// What opens the gate, once.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ticket {
    /// From 1 to the booking's quantity.
    #[schema(minimum = 1, example = 1)]
    seat: i32,
    /// What the QR code holds.
    #[schema(example = "7F3K-9QXM-222R-KD84-TQ2H")]
    code: String,
}

impl Booking {
    fn of(app: &App, booking: &crate::booking::Booking, event: &crate::events::Event) -> Self {
        let is_confirmed = booking.status == CONFIRMED;
        let tickets = if is_confirmed { tickets::of_booking(&app.ticket_codes, booking) } else { Vec::new() };
        Self {
            token: booking.token.clone(),
            reference: booking.reference.clone(),
            status: if is_confirmed { Status::Confirmed } else { Status::Canceled },
            event: event.slug.clone(),
            ticket_type_id: booking.ticket_type_id.to_string(),
            quantity: booking.quantity,
            unit_price: booking.unit_price().into(),
            total: booking.total().into(),
            buyer: Buyer {
                name: booking.buyer_name.clone(),
                email: booking.has_address().then(|| booking.buyer_email.clone()),
            },
            created_at: time(booking.created_at),
            cancelled_at: booking.cancelled_at.map(time),
            cancellable_until: event.cancellable_until().map(time),
            tickets: tickets.into_iter().map(|it| Ticket { seat: it.seat, code: it.code }).collect(),
            page: format!("{}/bookings/{}", &app.public_url, booking.token),
        }
    }
}
