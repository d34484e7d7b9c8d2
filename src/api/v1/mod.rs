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
use crate::booking::{BookingStatus, PlacedBooking, PlacedLine};
use crate::events::board::Listing;
use crate::events::sale::SaleState;
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
    /// The ticket type, when there is only one; null if there are several.
    #[schema(example = "1", required = true)]
    ticket_type_id: Option<String>,
    /// Tickets in total.
    #[schema(minimum = 1, example = 2)]
    quantity: i32,
    /// What one ticket costs, when there is only one ticket type; null if there are several.
    #[schema(required = true)]
    unit_price: Option<Amount>,
    /// By ticket type.
    lines: Vec<LineJson>,
    /// Due at the venue: nothing is charged online.
    total: Amount,
    buyer: BuyerJson,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime, required = true)]
    canceled_at: Option<String>,
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
    /// Its tickets are kept for a while.
    Held,
    Confirmed,
    /// It was held, and not confirmed in time.
    Expired,
    Canceled,
}

impl From<BookingStatus> for BookingStatusJson {
    fn from(status: BookingStatus) -> Self {
        match status {
            BookingStatus::Held => Self::Held,
            BookingStatus::Confirmed => Self::Confirmed,
            BookingStatus::Expired => Self::Expired,
            BookingStatus::Canceled => Self::Canceled,
        }
    }
}

/// Tickets of one ticket type in a booking.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Line)]
pub struct LineJson {
    #[schema(example = "1")]
    ticket_type_id: String,
    /// What was ordered.
    #[schema(minimum = 1, example = 2)]
    quantity: i32,
    /// How many of them were given back.
    #[schema(minimum = 0, example = 0)]
    returned: i32,
    unit_price: Amount,
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
    /// The name of its ticket type.
    #[schema(example = "VIP")]
    ticket_type: String,
    /// The content of the QR code.
    #[schema(example = "7F3K-9QXM-222R-KD84-TQ2H")]
    code: String,
}

impl BookingJson {
    fn of(app: &App, placed: &PlacedBooking) -> Self {
        let PlacedBooking { booking, event, lines, .. } = placed;
        let tickets =
            if booking.is_confirmed() { tickets::of_booking(&app.ticket_codes, placed) } else { Vec::new() };
        let ticket =
            |it: tickets::Ticket| TicketJson { seat: it.seat, ticket_type: it.ticket_type, code: it.code };
        let only = match lines.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        let line = |it: &PlacedLine| LineJson {
            ticket_type_id: it.ticket_type.id.to_string(),
            quantity: it.line.quantity,
            returned: it.line.returned,
            unit_price: it.unit_price().into(),
        };
        Self {
            token: booking.token.clone(),
            reference: booking.reference.clone(),
            status: booking.status.into(),
            event: event.slug.clone(),
            ticket_type_id: only.map(|it| it.ticket_type.id.to_string()),
            quantity: booking.quantity(),
            unit_price: only.map(|it| it.unit_price().into()),
            lines: lines.iter().map(line).collect(),
            total: booking.total().into(),
            buyer: BuyerJson { name: booking.buyer_name.clone(), email: booking.email().map(str::to_owned) },
            created_at: time(booking.created_at),
            canceled_at: booking.canceled_at.map(time),
            cancellable_until: event.cancellable_until().map(time),
            tickets: tickets.into_iter().map(ticket).collect(),
            page: format!("{}/bookings/{}", &app.public_url, booking.token),
        }
    }
}
