//! The concert that a new database starts with: its facts, in one place.

use chrono::{NaiveDate, NaiveDateTime};

/// A concert as it is put on sale.
pub struct Seed {
    pub slug: &'static str,
    pub name: &'static str,
    pub tagline: &'static str,
    pub venue: &'static str,
    pub city: &'static str,
    /// UTC.
    pub starts_at: NaiveDateTime,
    /// UTC.
    pub ends_at: NaiveDateTime,
    pub time_zone: &'static str,
    pub currency: &'static str,
    /// Until how many minutes before the start a buyer may cancel.
    pub cancellation_deadline_minutes: Option<i32>,
    /// In the order in which they are shown.
    pub ticket_types: [SeedTicketType; 3],
}

/// A ticket type of the seed.
pub struct SeedTicketType {
    pub name: &'static str,
    pub description: &'static str,
    pub icon: &'static str,
    pub price_minor: i64,
    pub capacity: i32,
    pub max_per_booking: i32,
    pub max_per_person: Option<i32>,
}

/// Most tickets of one ticket type in one booking.
const MAX_PER_BOOKING: i32 = 10;
/// Most VIP tickets of one person: a tenth of them.
const VIP_MAX_PER_PERSON: i32 = 10;
const DAY_MINUTES: i32 = 24 * 60;

/// Midnight Parade: three ticket types, 1,300 tickets.
#[must_use]
pub fn concert() -> Seed {
    Seed {
        slug: "midnight-parade",
        name: "Midnight Parade",
        tagline: "One city, one night, every light on. The farewell show of the Electric Season tour.",
        venue: "The Foundry Hall",
        city: "Chicago",
        starts_at: utc(2027, 6, 20, 1),
        ends_at: utc(2027, 6, 20, 4),
        time_zone: "America/Chicago",
        currency: "USD",
        cancellation_deadline_minutes: Some(DAY_MINUTES),
        ticket_types: [
            SeedTicketType {
                name: "VIP",
                description: "Balcony lounge, own entrance, a signed poster, and a drink before the show.",
                icon: "crown",
                price_minor: 10_000,
                capacity: 100,
                max_per_booking: MAX_PER_BOOKING,
                max_per_person: Some(VIP_MAX_PER_PERSON),
            },
            SeedTicketType {
                name: "Front Row",
                description: "Reserved standing at the rail, close enough to read the set list.",
                icon: "guitar",
                price_minor: 5_000,
                capacity: 200,
                max_per_booking: MAX_PER_BOOKING,
                max_per_person: None,
            },
            SeedTicketType {
                name: "General Admission",
                description: "Open floor, all the sound, all the lights. Come early, stand where you like.",
                icon: "users",
                price_minor: 1_000,
                capacity: 1_000,
                max_per_booking: MAX_PER_BOOKING,
                max_per_person: None,
            },
        ],
    }
}

fn utc(year: i32, month: u32, day: u32, hour: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(year, month, day)
        .and_then(|date| date.and_hms_opt(hour, 0, 0))
        .unwrap_or_default()
}
