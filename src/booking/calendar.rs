//! A booking's concert as an iCalendar file (RFC 5545): for `/bookings/{token}/calendar.ics` and attached to
//! mails.
//!
//! Every file of a booking has the same UID. After a change the file has a higher SEQUENCE, so calendars
//! replace the entry (RFC 5546, section 2.1.5), or delete it when the booking or the concert is canceled.

use chrono::{DateTime, NaiveDateTime, TimeZone as _, Utc};
use icalendar::{Component as _, EventLike as _, EventStatus, Property};

use super::PlacedBooking;
use crate::events::EventState;
use crate::events::calendar::{file, one_line};

/// Reminds the calendar's owner two hours before the start. The library would give it a DTSTAMP, which no
/// alarm has (RFC 5545, section 3.6.6), and a different UID each time.
const ALARM: &str = "\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Your concert starts in two hours\r\nTRIGGER:-PT2H\r\n\
    END:VALARM";
const END_OF_ENTRY: &str = "\r\nEND:VEVENT\r\n";

/// What a calendar program does with a file (RFC 5546).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarMethod {
    Publish,
    Cancel,
}

impl CalendarMethod {
    /// The content type of the part of a mail. Its method has to be the one inside (RFC 5545, section 8.1).
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Publish => "text/calendar; charset=utf-8; method=PUBLISH",
            Self::Cancel => "text/calendar; charset=utf-8; method=CANCEL",
        }
    }
}

/// An .ics file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarFile {
    pub method: CalendarMethod,
    pub text: String,
}

/// The calendar file of a booking. `url`: its page; `sender`: the address to use when the organizer has none,
/// since RFC 5546 wants an ORGANIZER. Times are UTC, so every calendar shows them on its owner's clock.
#[must_use]
pub fn render(placed: &PlacedBooking, url: &str, sender: &str) -> CalendarFile {
    let PlacedBooking { booking, event, .. } = placed;
    let is_canceled = booking.is_canceled() || event.state == EventState::Canceled;
    let (method, name) =
        if is_canceled { (CalendarMethod::Cancel, "CANCEL") } else { (CalendarMethod::Publish, "PUBLISH") };
    let changed_at = Utc.from_utc_datetime(&changed_at(placed));
    let mut entry = icalendar::Event::new();
    entry
        .uid(&format!("{}@techkraft-tickets", booking.reference))
        .sequence(sequence(placed, is_canceled))
        .summary(&one_line(&event.name))
        .location(&one_line(&event.place()))
        .description(&one_line(&description(placed)))
        .url(url)
        .status(if is_canceled { EventStatus::Cancelled } else { EventStatus::Confirmed })
        .timestamp(changed_at)
        .last_modified(changed_at)
        .starts(Utc.from_utc_datetime(&event.starts_at))
        .ends(Utc.from_utc_datetime(&event.ends_at))
        .append_property(organizer(placed, sender));
    let text = file(name).push(entry.done()).to_string();
    let alarm = if is_canceled { "" } else { ALARM };
    CalendarFile { method, text: text.replace(END_OF_ENTRY, &format!("{alarm}{END_OF_ENTRY}")) }
}

fn description(placed: &PlacedBooking) -> String {
    let PlacedBooking { booking, .. } = placed;
    let payment = if booking.is_canceled() { String::new() } else { format!(" {}", placed.payment_words()) };
    format!("{}, reference {}.{payment}", placed.summary(), booking.reference)
}

fn organizer(placed: &PlacedBooking, sender: &str) -> Property {
    let event = &placed.event;
    let address = event.organizer_email().unwrap_or_else(|| sender.to_owned());
    let name = if event.organizer_name.is_empty() { "TechKraft Tickets" } else { &event.organizer_name };
    Property::new("ORGANIZER", format!("mailto:{}", one_line(&address)))
        // A parameter cannot have quotation marks (RFC 5545, section 3.1).
        .add_parameter("CN", &one_line(name).replace('"', "'"))
        .done()
}

/// When the booking or its concert was changed last. The version of the concert's facts is a time in milliseconds.
fn changed_at(placed: &PlacedBooking) -> NaiveDateTime {
    let PlacedBooking { booking, event, .. } = placed;
    let facts = DateTime::from_timestamp_millis(event.facts_version).map(|at| at.naive_utc());
    let times = [Some(booking.created_at), booking.canceled_at, facts];
    times.into_iter().flatten().max().unwrap_or(booking.created_at)
}

/// Grows with every change. It is the number of seconds from the booking to the last dated change, plus one
/// for each returned ticket, for a postponement and for a cancellation: a return has no date here, and the
/// others may happen within the same second.
fn sequence(placed: &PlacedBooking, is_canceled: bool) -> u32 {
    let seconds = (changed_at(placed) - placed.booking.created_at).num_seconds();
    let returned = i64::try_from(placed.returned_seats.len()).unwrap_or_default();
    let is_postponed = i64::from(placed.event.postponed_from.is_some());
    u32::try_from(seconds + returned + is_postponed + i64::from(is_canceled)).unwrap_or_default()
}
