//! Unit tests of events and ticket types, and a sample of each for the tests of other modules.

use super::*;

pub(crate) fn event() -> Event {
    let starts_at = NaiveDateTime::default();
    Event {
        id: 1,
        slug: "show".into(),
        name: "Show".into(),
        tagline: String::new(),
        description: String::new(),
        venue: "Hall".into(),
        address: String::new(),
        city: "Chicago".into(),
        doors_at: None,
        starts_at: starts_at + chrono::TimeDelta::days(36_500),
        ends_at: starts_at + chrono::TimeDelta::days(36_501),
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
        payment: PaymentChoice::Venue,
        refund_fee_minor: Some(0),
    }
}

pub(crate) fn ticket_type(available: i32) -> TicketType {
    TicketType {
        id: 1,
        event_id: 1,
        name: "VIP".into(),
        description: String::new(),
        price_minor: 10_000,
        capacity: 100,
        available,
        max_per_booking: 10,
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

#[test]
fn stock_is_low_under_forty_percent_and_gone_at_zero() {
    assert!(!ticket_type(40).is_low_stock());
    assert!(ticket_type(39).is_low_stock());
    assert!(ticket_type(1).is_low_stock());
    assert!(!ticket_type(0).is_low_stock() && ticket_type(0).is_sold_out());
    assert_eq!((ticket_type(40).most_bookable(), ticket_type(3).most_bookable()), (10, 3));
    assert_eq!(TicketType { max_per_person: Some(4), ..ticket_type(40) }.most_bookable(), 4);
}

#[test]
fn the_limit_that_binds_is_named() {
    let of_person = |most, available| TicketType { max_per_person: Some(most), ..ticket_type(available) };
    assert_eq!(ticket_type(40).limit_words(), "Limit: 10 tickets per booking.");
    assert_eq!(ticket_type(10).limit_words(), "Limit: 10 tickets per booking.");
    assert_eq!(ticket_type(3).limit_words(), "Only 3 tickets left.");
    assert_eq!(ticket_type(1).limit_words(), "Only 1 ticket left.");
    assert_eq!(of_person(4, 40).limit_words(), "Limit: 4 tickets per person.");
    assert_eq!(of_person(1, 40).limit_words(), "Limit: 1 ticket per person.");
    assert_eq!(of_person(4, 3).limit_words(), "Only 3 tickets left.");
    assert_eq!(of_person(20, 40).limit_words(), "Limit: 10 tickets per booking.", "the smaller one");
}
