//! A scan, where it was made, and what came of it.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use super::code::Code;
use crate::audit::Actor;
use crate::booking::{Booking, PlacedBooking};
use crate::db::text_enum;
use crate::events::{Event, TicketType};
use crate::money::Money;
use crate::payment::PaidOnline;
use crate::schema::used_tickets;

/// How long before the doors open a gate begins to let people in.
const OPENS_BEFORE: TimeDelta = TimeDelta::hours(12);
/// How long after the end of the concert a gate stops letting people in: then the night is over.
const CLOSES_AFTER: TimeDelta = TimeDelta::hours(6);
/// Two scans of one ticket at the same gate within this time are of the same person: the scanner has read it
/// twice. Nobody else walks up in so short a time.
const SAME_PERSON: TimeDelta = TimeDelta::seconds(3);

/// Whether it is the night of a concert, at a time in UTC.
#[must_use]
pub fn is_the_night(event: &Event, at: NaiveDateTime) -> bool {
    let doors = event.doors_at.map_or(event.starts_at, |doors| doors.min(event.starts_at));
    doors - OPENS_BEFORE <= at && at <= night_ends(event)
}

/// When the night of a concert is over, in UTC.
#[must_use]
pub fn night_ends(event: &Event) -> NaiveDateTime {
    event.ends_at + CLOSES_AFTER
}

/// Where a scan is made, and in whose name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The concert whose tickets are admitted here.
    pub event: Event,
    /// "North gate"
    pub gate: String,
    /// The gate's link; `None`: a device on which somebody is signed in.
    pub gate_id: Option<i64>,
    pub actor: Actor,
}

/// A ticket that is to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    pub code: Code,
    pub place: Place,
    /// The device's key for this scan: a scan that is sent again counts once.
    pub key: Option<String>,
    /// When it was made. UTC.
    pub at: NaiveDateTime,
    /// When it arrived here. UTC.
    pub decided_at: NaiveDateTime,
    /// The staff at the gate had no answer at first, and may have let the person in.
    pub was_unconfirmed: bool,
    /// Chosen from a list instead of scanned.
    pub by_hand: bool,
    /// The staff admit it although the concert is on another day.
    pub any_day: bool,
}

text_enum! {
    /// What was decided about a scan, as it is stored.
    ScanDecision {
        Admitted = "admitted",
        Used = "used",
        Returned = "returned",
        Canceled = "canceled",
        OtherEvent = "other event",
        NotToday = "not today",
        Unknown = "unknown",
    }
}

/// The result of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanOutcome {
    Admitted(Holder),
    /// The same scan was sent again, or the same ticket was scanned twice in a row. It was admitted before,
    /// and nothing changed.
    AdmittedBefore(Holder, Admission),
    /// The same scan again, whose admission was undone meanwhile.
    Undone(Holder),
    /// This seat was already admitted.
    Used(Holder, Admission),
    Canceled(Holder),
    /// This ticket was given back.
    Returned(Holder),
    /// A valid ticket for a concert other than the one at this gate.
    OtherEvent(Holder, Event),
    /// A valid ticket for this concert, which is on another day.
    NotToday(Holder, Event),
    /// Signed by this site, but there is no such seat in a confirmed or canceled booking: the sale was reset,
    /// as a rule.
    Unknown,
}

impl ScanOutcome {
    /// As stored; `None`: nothing new was decided.
    #[must_use]
    pub fn decision(&self) -> Option<ScanDecision> {
        match self {
            Self::Admitted(_) => Some(ScanDecision::Admitted),
            Self::AdmittedBefore(..) | Self::Undone(_) => None,
            Self::Used(..) => Some(ScanDecision::Used),
            Self::Canceled(_) => Some(ScanDecision::Canceled),
            Self::Returned(_) => Some(ScanDecision::Returned),
            Self::OtherEvent(..) => Some(ScanDecision::OtherEvent),
            Self::NotToday(..) => Some(ScanDecision::NotToday),
            Self::Unknown => Some(ScanDecision::Unknown),
        }
    }
}

impl ScanDecision {
    /// What the gate calls it, both in its list and in an answer.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Admitted => "Admitted",
            Self::Used => "Already used",
            Self::Returned => "Returned",
            Self::Canceled => "Canceled",
            Self::OtherEvent => "Wrong concert",
            Self::NotToday => "Not today",
            Self::Unknown => "Invalid ticket",
        }
    }

    /// Whether it counts among the refused: "not today" is a question to the staff.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        !matches!(self, Self::Admitted | Self::NotToday)
    }
}

/// Whose ticket it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub reference: String,
    pub seat: i32,
    /// How many tickets the booking has.
    pub of: i32,
    pub ticket_type: String,
    /// The ticket type's accent, as in [`TicketType::accent_class`].
    pub accent: i32,
    pub name: String,
    /// How many of the booking's tickets were admitted.
    pub admitted: i64,
    /// What is due for it at the venue; `None` if it is free or paid.
    pub due: Option<Money>,
    /// What happened to its payment, if the staff have to know.
    pub mark: Option<String>,
}

impl Holder {
    /// Of a seat and its ticket type. `online`: the booking's payment.
    #[must_use]
    pub fn new(
        booking: &Booking,
        seat: i32,
        ticket_type: &TicketType,
        admitted: i64,
        online: Option<&PaidOnline>,
    ) -> Self {
        Self {
            reference: booking.reference.clone(),
            seat,
            of: booking.quantity(),
            ticket_type: ticket_type.name.clone(),
            accent: ticket_type.accent_class(),
            name: booking.buyer_name.clone(),
            admitted,
            due: booking.price_of_seat(seat).filter(|price| price.minor > 0 && online.is_none()),
            mark: online.and_then(PaidOnline::mark),
        }
    }

    /// `None`: the booking has no such seat.
    #[must_use]
    pub fn of_seat(placed: &PlacedBooking, seat: i32, admitted: i64) -> Option<Self> {
        let ticket_type = placed.ticket_type_of_seat(seat)?;
        Some(Self::new(&placed.booking, seat, ticket_type, admitted, placed.online.as_ref()))
    }
}

/// When and where a seat was admitted.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = used_tickets)]
pub struct Admission {
    pub gate: String,
    pub actor: String,
    /// UTC.
    #[diesel(column_name = used_at)]
    pub admitted_at: NaiveDateTime,
}

impl Admission {
    /// Whether a scan of the same ticket is of the same person, still at the gate.
    #[must_use]
    pub fn is_same_person(&self, scan: &Scan) -> bool {
        let is_same_place = self.gate == scan.place.gate && self.actor == scan.place.actor.name;
        is_same_place && (scan.at - self.admitted_at).abs() < SAME_PERSON
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::event;

    #[test]
    fn a_night_is_from_noon_to_the_small_hours() {
        let event = event();
        for (hours, is_on) in [(-13, false), (-12, true), (0, true)] {
            assert_eq!(is_the_night(&event, event.starts_at + TimeDelta::hours(hours)), is_on, "{hours}");
        }
        for (hours, is_on) in [(0, true), (6, true), (7, false)] {
            assert_eq!(is_the_night(&event, event.ends_at + TimeDelta::hours(hours)), is_on, "{hours}");
        }
    }
}
