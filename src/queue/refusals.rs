//! People who are served and were told that there is no pass right now. When a pass is free, it goes to the
//! one with the best place, however fast the others ask.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::draw::Position;

/// A page that was told to wait asks again within four seconds. A visitor whose page does not is gone.
pub(super) const REMEMBERED: Duration = Duration::from_secs(8);
/// The most people that are remembered in one room. When somebody is refused, far fewer passes than this are
/// left.
const PEOPLE_MAX: usize = 10_000;

/// Refused people by concert, as far as this server has seen them.
#[derive(Default)]
pub(super) struct Refusals {
    refused: Mutex<HashMap<i64, BTreeMap<Position, Instant>>>,
}

impl Refusals {
    pub(super) fn note(&self, event_id: i64, position: Position) {
        let mut refused = self.refused.lock();
        let room = refused.entry(event_id).or_default();
        room.insert(position, Instant::now());
        if room.len() > PEOPLE_MAX {
            room.pop_last();
        }
    }

    /// Forgets a place that has its pass now.
    pub(super) fn settle(&self, event_id: i64, position: Position) {
        if let Some(room) = self.refused.lock().get_mut(&event_id) {
            room.remove(&position);
        }
    }

    /// How many people with better places were refused just now.
    pub(super) fn before(&self, event_id: i64, position: Position) -> i64 {
        let mut refused = self.refused.lock();
        let Some(room) = refused.get_mut(&event_id) else { return 0 };
        room.retain(|_, at| at.elapsed() < REMEMBERED);
        i64::try_from(room.range(..position).count()).unwrap_or(i64::MAX)
    }

    /// The concerts where anybody was refused just now.
    pub(super) fn concerts(&self) -> HashSet<i64> {
        let mut refused = self.refused.lock();
        refused.retain(|_, room| {
            room.retain(|_, at| at.elapsed() < REMEMBERED);
            !room.is_empty()
        });
        refused.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_places_come_first() {
        let refusals = Refusals::default();
        let place = |fraction| Position::new(0, fraction);
        refusals.note(1, place(10));
        refusals.note(1, place(20));
        let before = |fraction| refusals.before(1, place(fraction));
        assert_eq!([before(5), before(10), before(20), before(30)], [0, 0, 1, 2]);
        assert_eq!(refusals.before(2, place(30)), 0, "another concert");
        assert_eq!(refusals.concerts(), HashSet::from([1]));
        refusals.settle(1, place(10));
        assert_eq!(before(30), 1);
        refusals.settle(1, place(20));
        assert_eq!(refusals.concerts(), HashSet::new());
    }
}
