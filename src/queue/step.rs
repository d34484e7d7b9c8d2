//! One step of a line: how far it is after the next move.

use chrono::{NaiveDateTime, TimeDelta};

use super::Room;
use super::draw::slot_of;
use super::line::QueueLine;
use super::pace::{Supply, next_per_second, people_to_serve};
use super::refusals::REMEMBERED;
use crate::events::pace::PollSeconds;

/// A visitor who is served notices it with the next poll. Browsers vary their intervals by up to a tenth, and the poll
/// itself takes a moment. One who has not asked for a pass within one to two times this long is gone.
fn notices_within(poll: PollSeconds) -> TimeDelta {
    TimeDelta::seconds(i64::from(poll.busy) * 11 / 10 + 1)
}

/// A room after its next move.
pub(super) fn next(
    room: &Room,
    line: &QueueLine,
    supply: Supply,
    now: NaiveDateTime,
    is_load_high: bool,
    may_run_ahead: bool,
    poll: PollSeconds,
) -> Room {
    let per_second = next_per_second(room.per_second, room.most_per_second, is_load_high);
    let elapsed = room.moved_at.map_or(1, |moved_at| elapsed_seconds(moved_at, now));
    // Visitors who are served already and have found no pass come first.
    let some_wait =
        room.refused_at.is_some_and(|at| now - at < TimeDelta::seconds(REMEMBERED.as_secs() as i64));
    let people = if some_wait { 0 } else { people_to_serve(per_second, room.flow, elapsed, supply) };
    let present = room.opened_at.map_or(0, |drawn_at| slot_of(now, drawn_at));
    let served = line.advance(room.served(), people, present, may_run_ahead).number();
    let moved = Room { served, per_second, moved_at: Some(now), ..room.clone() };
    if room.marked_at.is_some_and(|at| now - at < notices_within(poll)) {
        return moved;
    }
    Room { served_earlier: room.served_mark, served_mark: room.served, marked_at: Some(now), ..moved }
}

/// Rounded, so that two moves that are 900 or 1,100 ms apart count as one second.
fn elapsed_seconds(moved_at: NaiveDateTime, now: NaiveDateTime) -> i64 {
    ((now - moved_at).num_milliseconds() + 500) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::draw::Position;
    use crate::queue::tests::{at, drawn};

    /// The room after each of so many moves, one a second, with 20 tickets left and a lobby of 1,000 people
    /// who have not noticed yet.
    fn moved(
        times: i64,
        poll: PollSeconds,
        mut refused_at: impl FnMut(i64) -> Option<NaiveDateTime>,
    ) -> Vec<Room> {
        let line = QueueLine::new([(0, 1000)]);
        let mut rooms = vec![drawn(at(0), Position::default())];
        for second in 1..=times {
            let last = rooms.last().expect("one");
            let room = Room { refused_at: refused_at(second), ..last.clone() };
            let promised = line.before(room.served()) - line.before(room.served_earlier());
            let supply = Supply { left: 20, promised, ..Supply::default() };
            rooms.push(next(&room, &line, supply, at(second), false, true, poll));
        }
        rooms
    }

    /// Tried: without `promised` 240 people are served within ten seconds.
    #[test]
    fn no_more_people_are_served_than_there_are_passes_until_they_have_noticed() {
        let line = QueueLine::new([(0, 1000)]);
        let rooms = moved(60, PollSeconds::default(), |_| None);
        let served: Vec<i64> = rooms.iter().map(|room| line.before(room.served())).collect();
        assert_eq!(served[10], 30, "one and a half times what is left");
        assert_eq!(served[17], 30, "who polls every 15 seconds has noticed");
        // They are gone: others take their turn.
        assert_eq!((served[35], served[36]), (30, 60), "{served:?}");
    }

    #[test]
    fn people_have_longer_to_notice_where_browsers_poll_less_often() {
        let line = QueueLine::new([(0, 1000)]);
        let rooms = moved(136, PollSeconds { busy: 60, ..PollSeconds::default() }, |_| None);
        let served = [36, 135, 136].map(|second: usize| line.before(rooms[second].served()));
        assert_eq!(served, [30, 30, 60], "twice 67 seconds");
    }

    #[test]
    fn nobody_is_served_while_others_who_are_wait_for_a_pass() {
        let line = QueueLine::new([(0, 1000)]);
        let rooms = moved(60, PollSeconds::default(), |second| (second > 20).then_some(at(second)));
        assert_eq!(line.before(rooms[60].served()), 30);
    }

    #[test]
    fn seconds_between_moves_are_rounded() {
        let elapsed = |milliseconds| elapsed_seconds(at(0), at(0) + TimeDelta::milliseconds(milliseconds));
        assert_eq!([elapsed(900), elapsed(1100), elapsed(1499), elapsed(10_200)], [1, 1, 1, 10]);
    }
}
