//! "Add to calendar": a booking's concert as an iCalendar file (RFC 5545).

use chrono::TimeZone as _;
use icalendar::{Calendar, Component as _, EventLike as _};

use super::PlacedBooking;

/// The text of the .ics file. Times are UTC, so every calendar shows them on its owner's clock.
#[must_use]
pub fn render(placed: &PlacedBooking, url: &str) -> String {
    let PlacedBooking { booking, event, .. } = placed;
    let utc = chrono::Utc;
    let description = format!("{}, reference {}", placed.summary(), booking.reference);
    let entry = icalendar::Event::new()
        .uid(&format!("{}@techkraft-tickets", booking.reference))
        .summary(&one_line(&event.name))
        .location(&one_line(&format!("{}, {}", event.venue, event.city)))
        .description(&one_line(&description))
        .url(url)
        .timestamp(utc.from_utc_datetime(&booking.created_at))
        .starts(utc.from_utc_datetime(&event.starts_at))
        .ends(utc.from_utc_datetime(&event.ends_at))
        .done();
    Calendar::new().push(entry).done().to_string()
}

/// Control characters may not stand in a file of RFC 5545 (section 3.3.11, TSAFE-CHAR), and some calendars
/// take a bare carriage return for the end of a line.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
