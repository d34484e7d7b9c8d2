//! A concert, a tier and a booking to put inputs into.

use techkraft::booking::{Booking, CONFIRMED, new_token};
use techkraft::events::{Event, TicketType, seed};

/// Most tickets in one booking of the tier.
pub const MOST: i32 = 10;

pub fn event(name: &str, venue: &str, city: &str) -> Event {
    let starts_at = seed::concert().starts_at;
    Event {
        id: 1,
        slug: "show".into(),
        name: name.into(),
        tagline: String::new(),
        venue: venue.into(),
        city: city.into(),
        starts_at,
        ends_at: starts_at,
        time_zone: "America/Chicago".into(),
        currency: "USD".into(),
        cancellation_deadline_minutes: None,
    }
}

pub fn ticket_type(name: &str) -> TicketType {
    TicketType {
        id: 1,
        event_id: 1,
        name: name.into(),
        description: String::new(),
        price_cents: 10_000,
        capacity: 100,
        available: 100,
        max_per_booking: MOST,
        max_per_person: None,
        position: 1,
        version: 1,
    }
}

pub fn booking() -> Booking {
    Booking {
        reference: "TK-7F3K-9QXM".into(),
        token: new_token(),
        ticket_type_id: 1,
        quantity: 2,
        unit_price_cents: 10_000,
        total_cents: 20_000,
        currency: "USD".into(),
        buyer_name: "Ada Lovelace".into(),
        buyer_email: "ada@example.org".into(),
        status: CONFIRMED.to_owned(),
        created_at: seed::concert().starts_at,
        cancelled_at: None,
    }
}
