//! The concerts of the demo: the facts of each while its history is made, and as it is shown.

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::events::editing::{EventFacts, TicketTypeFacts};

/// The venues are in one city.
const ZONE: Tz = Tz::America__Chicago;
const CURRENCY: &str = "USD";
const MAX_PER_BOOKING: i32 = 8;
const SHOW: TimeDelta = TimeDelta::hours(3);
const DOORS_BEFORE: TimeDelta = TimeDelta::minutes(90);
/// While its history is made, every concert is that far away and on sale.
const FAR_AWAY: TimeDelta = TimeDelta::days(90);

pub(super) struct DemoConcert {
    pub name: &'static str,
    pub tagline: &'static str,
    pub description: &'static str,
    pub venue: &'static str,
    pub address: &'static str,
    pub accessibility: &'static str,
    pub age_limit: Option<i32>,
    pub is: DemoState,
    /// For how many days it has been on sale.
    pub days_on_sale: i64,
    pub ticket_types: &'static [DemoTicketType],
}

/// What a concert of the demo shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DemoState {
    OnSale {
        in_days: i64,
    },
    /// A countdown runs.
    OpensSoon,
    /// The gates are open.
    Tonight,
    Paused {
        in_days: i64,
    },
    Canceled {
        in_days: i64,
    },
    Over {
        days_ago: i64,
    },
}

/// Of `capacity` tickets, `left` are left.
pub(super) struct DemoTicketType {
    pub name: &'static str,
    pub description: &'static str,
    pub icon: &'static str,
    pub price_minor: i64,
    pub capacity: i32,
    pub left: i32,
    pub max_per_person: Option<i32>,
}

/// How long the visitor of a fresh demo waits for the concert that opens.
const OPENS_AFTER: TimeDelta = TimeDelta::minutes(10);

impl DemoConcert {
    /// The facts with which its history can be made.
    pub(super) fn as_on_sale(&self, now: NaiveDateTime) -> EventFacts {
        self.facts(evening(now + FAR_AWAY), None)
    }

    /// The facts with which it is shown.
    pub(super) fn as_shown(&self, now: NaiveDateTime) -> EventFacts {
        let opens = (self.is == DemoState::OpensSoon).then_some(next_minute(now + OPENS_AFTER));
        let starts_at = match self.is {
            DemoState::OnSale { in_days }
            | DemoState::Paused { in_days }
            | DemoState::Canceled { in_days } => evening(now + TimeDelta::days(in_days)),
            DemoState::OpensSoon => evening(now + TimeDelta::days(47)),
            DemoState::Tonight => next_half_hour(now + TimeDelta::minutes(30)),
            DemoState::Over { days_ago } => evening(now - TimeDelta::days(days_ago)),
        };
        self.facts(starts_at, opens)
    }

    fn facts(&self, starts_at: NaiveDateTime, sales_start_at: Option<NaiveDateTime>) -> EventFacts {
        EventFacts {
            name: self.name.into(),
            slug: None,
            tagline: self.tagline.into(),
            description: self.description.into(),
            venue: self.venue.into(),
            address: self.address.into(),
            city: "Chicago".into(),
            starts_at,
            doors_at: Some(starts_at - DOORS_BEFORE),
            ends_at: starts_at + SHOW,
            time_zone: ZONE,
            currency: CURRENCY.into(),
            payment: crate::events::PaymentChoice::Venue,
            refund_fee_minor: Some(0),
            sales_start_at,
            // The box office sells during the show.
            sales_end_at: (self.is == DemoState::Tonight).then_some(starts_at + SHOW),
            age_limit: self.age_limit,
            accessibility: self.accessibility.into(),
            organizer_name: "Lakeside Concerts".into(),
            organizer_contact: "box-office@example.org".into(),
            image_alt: String::new(),
            listed: true,
        }
    }
}

impl DemoTicketType {
    pub(super) fn facts(&self) -> TicketTypeFacts {
        TicketTypeFacts {
            name: self.name.into(),
            description: self.description.into(),
            price_minor: self.price_minor,
            tax_rate: None,
            capacity: self.capacity,
            max_per_booking: MAX_PER_BOOKING,
            max_per_person: self.max_per_person,
            sales_start_at: None,
            sales_end_at: None,
            icon: Some(self.icon.into()),
            accent: None,
            hidden: false,
        }
    }
}

/// Eight in the evening of that day, at the venue. UTC.
fn evening(at: NaiveDateTime) -> NaiveDateTime {
    let day = Utc.from_utc_datetime(&at).with_timezone(&ZONE).date_naive();
    let eight = NaiveTime::from_hms_opt(20, 0, 0).unwrap_or_default();
    // No clock is changed in the evening.
    ZONE.from_local_datetime(&day.and_time(eight)).earliest().map_or(at, |it| it.naive_utc())
}

fn next_minute(at: NaiveDateTime) -> NaiveDateTime {
    next_full(at, 60)
}

fn next_half_hour(at: NaiveDateTime) -> NaiveDateTime {
    next_full(at, 30 * 60)
}

/// The next time that is a multiple of this many seconds.
fn next_full(at: NaiveDateTime, seconds: i64) -> NaiveDateTime {
    let number = at.and_utc().timestamp().div_euclid(seconds) + 1;
    DateTime::from_timestamp(number * seconds, 0).map_or(at, |it| it.naive_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::concerts::PROGRAM;
    use crate::events::editing::{event_fields, ticket_type_fields};
    use crate::events::tests::{event, ticket_type};
    use crate::events::{Event, TicketType};

    /// What the demo shows is what a form would have taken.
    #[test]
    fn every_concert_could_have_been_typed() {
        let now = event().starts_at - TimeDelta::days(10_000);
        for concert in &PROGRAM {
            let facts = concert.as_on_sale(now);
            assert_eq!(concert.as_shown(now).venue, facts.venue);
            let shown = Event {
                name: facts.name.clone(),
                tagline: facts.tagline.clone(),
                description: facts.description.clone(),
                venue: facts.venue.clone(),
                address: facts.address.clone(),
                starts_at: facts.starts_at,
                doors_at: facts.doors_at,
                ends_at: facts.ends_at,
                age_limit: facts.age_limit,
                accessibility: facts.accessibility.clone(),
                organizer_name: facts.organizer_name.clone(),
                organizer_contact: facts.organizer_contact.clone(),
                sales_end_at: facts.sales_end_at,
                ..event()
            };
            let read = event_fields::read(&event_fields::of(&shown), None, now).expect(concert.name);
            assert_eq!(EventFacts { slug: None, ..read }, facts);
            for it in concert.ticket_types {
                let facts = it.facts();
                let typed = TicketType {
                    name: facts.name.clone(),
                    description: facts.description.clone(),
                    price_minor: facts.price_minor,
                    capacity: facts.capacity,
                    max_per_booking: facts.max_per_booking,
                    max_per_person: facts.max_per_person,
                    icon: facts.icon.clone(),
                    accent: None,
                    ..ticket_type(1)
                };
                let read = ticket_type_fields::read(&ticket_type_fields::of(&typed, &shown), &shown);
                assert_eq!(read.expect(it.name), facts);
                assert!((0..=it.capacity).contains(&it.left));
            }
        }
    }

    #[test]
    fn evenings_are_on_the_venues_clock() {
        let utc = |text: &str| NaiveDateTime::parse_from_str(text, "%F %R").expect("a time");
        assert_eq!(evening(utc("2027-06-20 02:00")), utc("2027-06-20 01:00"), "still the 19th in Chicago");
        assert_eq!(evening(utc("2027-12-20 12:00")), utc("2027-12-21 02:00"));
        assert_eq!(next_half_hour(utc("2027-06-20 02:10")), utc("2027-06-20 02:30"));
        assert_eq!(next_half_hour(utc("2027-06-20 02:30")), utc("2027-06-20 03:00"));
    }
}
