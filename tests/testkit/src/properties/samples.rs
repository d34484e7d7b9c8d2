//! A concert, a ticket type and a booking to put inputs into.

use techkraft::booking::buyer::Buyer;
use techkraft::booking::{Booking, BookingLine, Order, PlacedBooking};
use techkraft::events::{Event, EventState, TicketType, TicketTypeState, seed};

/// The most tickets of this type in one booking.
pub const MOST: i32 = 10;

pub fn event(name: &str, venue: &str, city: &str) -> Event {
    let starts_at = seed::concert().starts_at;
    Event {
        id: 1,
        slug: "show".into(),
        name: name.into(),
        tagline: String::new(),
        description: String::new(),
        venue: venue.into(),
        address: String::new(),
        city: city.into(),
        doors_at: None,
        starts_at,
        ends_at: starts_at,
        time_zone: "America/Chicago".into(),
        currency: "USD".into(),
        image: None,
        age_limit: None,
        organizer_name: String::new(),
        organizer_contact: String::new(),
        state: EventState::Published,
        sales_start_at: None,
        sales_end_at: None,
        paused: false,
        listed: true,
        cancellation_deadline_minutes: None,
        facts_version: 1,
        description_html: String::new(),
        accessibility: String::new(),
        postponed_from: None,
        returns_until: None,
        archived_from: None,
        image_alt: String::new(),
        payment: techkraft::events::PaymentChoice::Venue,
        refund_fee_minor: Some(0),
    }
}

pub fn ticket_type(name: &str) -> TicketType {
    TicketType {
        id: 1,
        event_id: 1,
        name: name.into(),
        description: String::new(),
        price_minor: 10_000,
        capacity: 100,
        available: 100,
        max_per_booking: MOST,
        max_per_person: None,
        position: 1,
        icon: None,
        accent: None,
        state: TicketTypeState::OnSale,
        sales_start_at: None,
        sales_end_at: None,
        version: 1,
        facts_version: 1,
        tax_rate: None,
    }
}

pub fn line() -> BookingLine {
    BookingLine { booking_id: 1, ticket_type_id: 1, quantity: 2, unit_price_minor: 10_000, returned: 0 }
}

pub fn booking(buyer_name: &str, email: &str) -> Booking {
    let order = Order::of_one_type(1, 2, Buyer::with_email(buyer_name, email), "key".into());
    let codes = ("TK-7F3K-9QXM".into(), "AZn8rL2c0123456789abcdef".into());
    order.to_booking((1, 1, "USD".into()), vec![line()], seed::concert().starts_at, codes)
}

pub fn placed(event: Event, ticket_type: TicketType) -> PlacedBooking {
    PlacedBooking::new(booking("Ada Lovelace", "ada@example.org"), event, &[ticket_type])
}
