//! A concert as a file for calendars (RFC 5545).

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpResponse, HttpResponseBuilder, web};
use chrono::{TimeZone as _, Utc};
use icalendar::{Calendar, Component as _, EventLike as _, EventStatus};

use super::{Event, EventState};
use crate::app::App;
use crate::error::Error;

/// Sequences count the seconds since November 2023, so that they stay far below the limit of RFC 5545.
const SEQUENCES_SINCE_MS: i64 = 1_700_000_000_000;

/// What a calendar file says in addition to the concert's facts.
pub struct CalendarEntry<'a> {
    /// The same in every file about the same concert or ticket, so that a calendar replaces its entry and does
    /// not add a second one. A concert's changes when the concert gets another slug.
    pub uid: &'a str,
    pub description: &'a str,
    pub url: &'a str,
}

/// `GET /events/{slug}/calendar.ics`: for those who have not booked yet.
pub async fn show(app: web::Data<App>, slug: web::Path<String>) -> Result<HttpResponse, Error> {
    let listing = app.board.find_by_slug(&slug).ok_or(Error::NotFound)?;
    let event = &listing.event;
    let entry = CalendarEntry {
        uid: &format!("{}@techkraft-tickets", event.slug),
        description: &event.tagline,
        url: &format!("{}/events/{}", app.public_url, event.slug),
    };
    Ok(download(event).insert_header((CACHE_CONTROL, "no-store")).body(render(event, &entry)))
}

/// The text of the file. Times are UTC, so every calendar shows them on its owner's clock.
#[must_use]
pub fn render(event: &Event, entry: &CalendarEntry) -> String {
    let mut item = icalendar::Event::new();
    item.uid(entry.uid)
        .summary(&one_line(&event.name))
        .location(&one_line(&format!("{}, {}", event.venue, event.city)))
        .description(&one_line(entry.description))
        .url(entry.url)
        .sequence(sequence(event))
        .timestamp(Utc::now())
        .starts(Utc.from_utc_datetime(&event.starts_at))
        .ends(Utc.from_utc_datetime(&event.ends_at));
    if event.state == EventState::Canceled {
        item.status(EventStatus::Cancelled);
    }
    let method = if event.state == EventState::Canceled { "CANCEL" } else { "PUBLISH" };
    file(method).push(item.done()).done().to_string()
}

/// Grows with the version of the concert's facts, which is a time in milliseconds. Changes within one second
/// have the same sequence.
fn sequence(event: &Event) -> u32 {
    let seconds = (event.facts_version - SEQUENCES_SINCE_MS) / 1_000;
    u32::try_from(seconds + i64::from(event.postponed_from.is_some())).unwrap_or_default()
}

/// An empty calendar file of this site. The caller adds the entry.
#[must_use]
pub fn file(method: &str) -> Calendar {
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//TechKraft//TechKraft Tickets//EN"))
        .append_property(("CALSCALE", "GREGORIAN"))
        .append_property(("METHOD", method));
    calendar
}

/// The start of a response with a calendar file, which is named after the concert.
#[must_use]
pub fn download(event: &Event) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/calendar; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}.ics\"", event.slug)));
    response
}

/// Control characters may not stand in a file of RFC 5545 (section 3.3.11, TSAFE-CHAR), and some calendars
/// take a bare carriage return for the end of a line.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
