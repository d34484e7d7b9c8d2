//! The sale that a rehearsal plays: when it starts, when each buyer comes, and what each one wants.

use std::time::Duration;

use tokio::time::Instant;

use crate::events::{Event, TicketType};

/// The longest time between the start of the rehearsal and the start of its sale.
const LOBBY_MAX: Duration = Duration::from_secs(180);
/// How many of ten buyers come before the sale starts.
const EARLY_OF_TEN: u32 = 6;
/// Buyers who are not in a waiting room open the form within this many milliseconds of the start.
const RUSH_MS: u32 = 3_000;

pub(super) struct RehearsedSale {
    pub slug: String,
    pub has_room: bool,
    /// Ids and the most tickets of one booking, the type with the most tickets first.
    pub types: Vec<(i64, u32)>,
    pub begins: Instant,
    pub lobby: Duration,
    pub lasts: Duration,
    pub buyers: u32,
}

/// How long before the start of its sale a rehearsal of that length begins.
pub(super) fn lobby(minutes: i32) -> Duration {
    let fifth = Duration::from_secs(u64::from(minutes.unsigned_abs()) * 60 / 5);
    fifth.min(LOBBY_MAX)
}

impl RehearsedSale {
    pub(super) fn new(
        (event, types, has_room): &(Event, Vec<TicketType>, bool),
        (buyers, minutes): (i32, i32),
        begins: Instant,
    ) -> Self {
        let mut types = types.clone();
        types.sort_by_key(|it| std::cmp::Reverse(it.capacity));
        Self {
            slug: event.slug.clone(),
            has_room: *has_room,
            types: types.iter().map(|it| (it.id, it.most_per_booking().unsigned_abs())).collect(),
            begins,
            lobby: lobby(minutes),
            lasts: Duration::from_secs(u64::from(minutes.unsigned_abs()) * 60),
            buyers: buyers.unsigned_abs(),
        }
    }

    pub(super) fn starts(&self) -> Instant {
        self.begins + self.lobby
    }

    pub(super) fn ends(&self) -> Instant {
        self.begins + self.lasts
    }

    /// When a buyer comes: most before the start, the others over the first half of the sale.
    pub(super) fn arrival(&self, buyer: u32) -> Instant {
        let part = f64::from(spread(buyer, 1_000)) / 1_000.0;
        if buyer % 10 < EARLY_OF_TEN {
            self.begins + self.lobby.mul_f64(part)
        } else {
            self.starts() + self.lasts.saturating_sub(self.lobby).mul_f64(part / 2.0)
        }
    }

    /// When a buyer who is in no waiting room opens the form.
    pub(super) fn opens_form(&self, buyer: u32) -> Instant {
        self.starts() + Duration::from_millis(spread(buyer, RUSH_MS).into())
    }

    /// The ticket types that a buyer tries, one after the other, with how many tickets.
    pub(super) fn wishes(&self, buyer: u32) -> Vec<(i64, u32)> {
        let first = if self.types.is_empty() { 0 } else { buyer as usize / 2 % self.types.len() };
        let wanted = 1 + buyer % 2;
        let types = self.types.iter().cycle().skip(first).take(self.types.len());
        types.map(|(id, most)| (*id, wanted.min((*most).max(1)))).collect()
    }

    /// How long a buyer reads and types.
    pub(super) fn thinks(buyer: u32) -> Duration {
        Duration::from_millis(1_000 + u64::from(spread(buyer, 4_000)))
    }
}

/// A number below `below`. It is always the same for the same buyer, and evenly spread over all buyers.
fn spread(buyer: u32, below: u32) -> u32 {
    buyer.wrapping_mul(2_654_435_761) % below
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale() -> RehearsedSale {
        RehearsedSale {
            slug: "rehearsal".into(),
            has_room: true,
            types: vec![(1, 10), (2, 1), (3, 10)],
            begins: Instant::now(),
            lobby: lobby(5),
            lasts: Duration::from_secs(300),
            buyers: 1_000,
        }
    }

    #[test]
    fn most_buyers_are_there_before_the_sale() {
        let sale = sale();
        assert_eq!(sale.lobby, Duration::from_secs(60));
        let early = (0..1_000).filter(|buyer| sale.arrival(*buyer) < sale.starts()).count();
        assert_eq!(early, 600);
        assert!((0..1_000).all(|buyer| sale.arrival(buyer) < sale.ends()));
        assert_eq!((lobby(1), lobby(30)), (Duration::from_secs(12), Duration::from_secs(180)));
    }

    #[test]
    fn buyers_want_all_types_and_keep_to_their_limits() {
        let sale = sale();
        assert_eq!(sale.wishes(0), [(1, 1), (2, 1), (3, 1)]);
        assert_eq!(sale.wishes(3), [(2, 1), (3, 2), (1, 2)]);
        let firsts = |id| (0..600).filter(|buyer| sale.wishes(*buyer)[0].0 == id).count();
        assert_eq!([firsts(1), firsts(2), firsts(3)], [200, 200, 200]);
    }
}
