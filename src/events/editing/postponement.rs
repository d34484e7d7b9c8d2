//! The fields of a postponement: the new date, and until when tickets may be given back.

use chrono::NaiveDateTime;

use super::event_fields::LENGTH_MAX;
use super::local_time;
use super::typed::{FieldFaults, FieldReader, TypedFields, text};
use crate::booking::cancellation::note::MESSAGE_LENGTH_MAX;
use crate::events::Event;

pub const POSTPONEMENT_FIELDS: [&str; 9] = [
    "starts_at",
    "starts_at_offset",
    "doors_at",
    "doors_at_offset",
    "ends_at",
    "ends_at_offset",
    "returns_until",
    "returns_until_offset",
    "message",
];

/// A concert's new date. Times are UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postponement {
    pub starts_at: NaiveDateTime,
    pub doors_at: Option<NaiveDateTime>,
    pub ends_at: NaiveDateTime,
    pub returns_until: Option<NaiveDateTime>,
    pub message: String,
}

/// Reads the fields. Doors and end keep their distance from the start unless they are given. `now`: UTC.
///
/// # Errors
/// What is wrong, by field.
pub fn read(typed: &TypedFields, event: &Event, now: NaiveDateTime) -> Result<Postponement, FieldFaults> {
    let zone = event.clock().0;
    let mut reader = FieldReader::new(typed);
    let mut time = |field| reader.time(field, zone);
    let (starts_at, doors_at, ends_at) = (time("starts_at"), time("doors_at"), time("ends_at"));
    let returns_until = time("returns_until");
    let message = reader.read("message", |it| text(it, MESSAGE_LENGTH_MAX));
    let mut faults = reader.faults;
    let Some(starts_at) = starts_at else {
        faults.add("starts_at", "Enter the new date and time.");
        return Err(faults);
    };
    let moved = |at: NaiveDateTime| local_time::moved(at, event.starts_at, starts_at, zone);
    let postponed = Postponement {
        starts_at,
        doors_at: doors_at.or(event.doors_at.map(moved)),
        ends_at: ends_at.unwrap_or_else(|| moved(event.ends_at)),
        returns_until,
        message,
    };
    if starts_at <= now {
        faults.add("starts_at", "This is in the past.");
    }
    if starts_at == event.starts_at {
        faults.add("starts_at", "That is already its date.");
    }
    if starts_at < event.starts_at {
        faults
            .add("starts_at", "This is earlier than its current date. Edit the concert to bring it forward.");
    }
    if postponed.doors_at.is_some_and(|doors| doors > starts_at) {
        faults.add("doors_at", "Doors must open at the start or before it.");
    }
    if postponed.ends_at <= starts_at || postponed.ends_at > starts_at + LENGTH_MAX {
        faults.add("ends_at", "The end must be after the start, within 31 days.");
    }
    if returns_until.is_some_and(|until| until <= now || until > starts_at) {
        faults.add("returns_until", "Choose a time from now until the new start.");
    }
    if faults.is_empty() { Ok(postponed) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::events::tests::event;

    #[test]
    fn doors_and_end_move_with_the_start() {
        let starts_at = event().starts_at;
        let show = Event { doors_at: Some(starts_at - TimeDelta::hours(1)), ..event() };
        let now = starts_at - TimeDelta::days(10);
        let local = |at| local_time::field(at, show.clock().0);
        let typed = |fields: &[(&'static str, String)]| TypedFields::new(fields.iter().cloned());
        let later = starts_at + TimeDelta::days(7);
        let read_all = |fields: &[(&'static str, String)]| read(&typed(fields), &show, now);
        let postponed = read_all(&[("starts_at", local(later))]).expect("valid");
        assert_eq!(postponed.starts_at, later);
        assert_eq!(postponed.doors_at, Some(later - TimeDelta::hours(1)));
        assert_eq!(postponed.ends_at - later, show.ends_at - starts_at);
        for (field, at) in [
            ("starts_at", now),
            ("starts_at", starts_at),
            ("starts_at", starts_at - TimeDelta::days(3)),
            ("returns_until", now),
            ("returns_until", later + TimeDelta::days(1)),
            ("doors_at", later + TimeDelta::hours(1)),
            ("ends_at", later),
        ] {
            let faults = read_all(&[("starts_at", local(later)), (field, local(at))]).expect_err(field);
            assert_eq!(faults.iter().map(|it| it.0).collect::<Vec<_>>(), [field]);
        }
        assert!(read_all(&[]).expect_err("no date").of("starts_at").is_some());
    }
}
