//! Doors and end of a concert whose start is moved. The organizer may not have thought of them.

use chrono::NaiveDateTime;
use chrono_tz::Tz;

use super::local_time;
use crate::events::Event;

/// When doors open. If the organizer did not change that time, it moves along when the start moves to another
/// day, or to a time before the doors.
#[must_use]
pub fn doors(given: NaiveDateTime, before: &Event, starts_at: NaiveDateTime, zone: Tz) -> NaiveDateTime {
    let day = |at: NaiveDateTime| local_time::date_of(at, zone);
    let is_passed = given > starts_at || day(starts_at) != day(before.starts_at);
    if before.doors_at == Some(given) && is_passed {
        local_time::moved(given, before.starts_at, starts_at, zone)
    } else {
        given
    }
}

/// The end. If the organizer did not change it, it moves along when the start moves to the end or past it.
#[must_use]
pub fn end(given: NaiveDateTime, before: &Event, starts_at: NaiveDateTime, zone: Tz) -> NaiveDateTime {
    if before.ends_at == given && given <= starts_at {
        local_time::moved(given, before.starts_at, starts_at, zone)
    } else {
        given
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::events::tests::event;

    #[test]
    fn what_was_not_touched_follows_a_start_that_moves_past_it() {
        let start = event().starts_at;
        let (doors_at, ends_at) = (start - TimeDelta::hours(1), start + TimeDelta::hours(3));
        let show = Event { doors_at: Some(doors_at), ends_at, ..event() };
        let zone = show.clock().0;
        let (week, half) = (TimeDelta::days(7), TimeDelta::minutes(30));
        assert_eq!(doors(doors_at, &show, start + week, zone), doors_at + week);
        assert_eq!(doors(doors_at, &show, start - week, zone), doors_at - week);
        assert_eq!(doors(doors_at, &show, start + half, zone), doors_at, "the same evening");
        assert_eq!(end(ends_at, &show, start + week, zone), ends_at + week);
        assert_eq!(end(ends_at, &show, start - week, zone), ends_at, "it may be a festival");
        // A time that the organizer has changed stays as it was typed.
        assert_eq!(doors(doors_at - half, &show, start + week, zone), doors_at - half);
        assert_eq!(end(ends_at + half, &show, start + week, zone), ends_at + half);
    }
}
