//! The draw: which position in line a place has, as anybody can compute it.
//!
//! The room's seed is fixed before the first place is given, and pages show its SHA-256. At the opening they show the
//! seed itself. A place's fraction is the start of HMAC-SHA256 with the seed as the key and the place's number as the
//! message, both as the text that pages show:
//!
//! ```text
//! printf %s SEED | sha256sum
//! printf %s NUMBER | openssl dgst -sha256 -hmac SEED
//! ```
//!
//! So nobody gains from coming first to the lobby, from reloading it, or from choosing: the number is given before the
//! seed is known, and the seed is fixed before the number is given.

use std::fmt;

use chrono::NaiveDateTime;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::QueuePlace;

/// How many positions a slot has: see [`Position`].
const SLOT: i64 = 1 << 32;

/// What orders a room's draw: 256 bits as 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct DrawSeed(String);

/// Where a place stands in line. Lower ones are served first.
///
/// The lobby is slot 0, and each second after the draw is a slot. A visitor who arrived in an earlier slot
/// stands before one who arrived in a later slot; within a slot the draw decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(i64);

impl DrawSeed {
    #[must_use]
    pub fn generate() -> Self {
        Self(hex::encode(rand::random::<[u8; 32]>()))
    }

    /// `None`: not 64 hexadecimal digits in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 64 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// The text that is public after the draw, and a secret before it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What pages show before the draw.
    #[must_use]
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(&self.0))
    }

    /// Where in its slot the place of that number stands.
    #[must_use]
    pub fn fraction(&self, number: &str) -> u32 {
        // HMAC takes a key of any length, so this cannot fail.
        let mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("HMAC takes a key of any length");
        let drawn = mac.chain_update(number).finalize().into_bytes();
        drawn[..4].iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
    }

    /// Where a place stands in the line of a room that was drawn at `drawn_at`.
    #[must_use]
    pub fn position(&self, place: &QueuePlace, drawn_at: NaiveDateTime) -> Position {
        Position::new(slot_of(place.arrived_at, drawn_at), self.fraction(&place.number))
    }
}

/// Never shows the seed: before the draw it is a secret.
impl fmt::Debug for DrawSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DrawSeed")
    }
}

/// The slot of an arrival.
#[must_use]
pub fn slot_of(arrived_at: NaiveDateTime, drawn_at: NaiveDateTime) -> i64 {
    if arrived_at < drawn_at { 0 } else { 1 + (arrived_at - drawn_at).num_seconds() }
}

impl Position {
    #[must_use]
    pub const fn new(slot: i64, fraction: u32) -> Self {
        Self(slot * SLOT + fraction as i64)
    }

    /// The first one of a slot.
    #[must_use]
    pub const fn start_of(slot: i64) -> Self {
        Self::new(slot, 0)
    }

    /// As the database keeps it.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }

    #[must_use]
    pub const fn slot(self) -> i64 {
        self.0.div_euclid(SLOT)
    }

    /// How much of its slot stands before it: 0 to 1.
    #[must_use]
    pub fn share(self) -> f64 {
        self.0.rem_euclid(SLOT) as f64 / SLOT as f64
    }

    /// That share of a slot further on, at most the next slot's start.
    #[must_use]
    pub fn further(self, share: f64) -> Self {
        let end = Self::start_of(self.slot() + 1);
        Self(self.0.saturating_add((share * SLOT as f64) as i64)).min(end)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn seed(of: &str) -> DrawSeed {
        DrawSeed(hex::encode(Sha256::digest(of)))
    }

    #[test]
    fn a_draw_is_what_other_programs_compute() {
        // printf %s "" | sha256sum gives the seed; its own hash and the fraction are openssl's.
        let seed = DrawSeed::parse("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
            .expect("a seed");
        assert_eq!(seed, self::seed(""));
        assert_eq!(seed.hash(), "cd372fb85148700fa88095e3492d3f9f5beb43e555e5ff26d95f5a6adc36f8e6");
        assert_eq!(seed.fraction("00112233445566778899"), 0x5397_2a2b);
    }

    #[test]
    fn seeds_are_random_and_read_back() {
        let seed = DrawSeed::generate();
        assert_eq!(DrawSeed::parse(seed.as_str()), Some(seed.clone()));
        assert_ne!(DrawSeed::generate(), seed);
        assert_eq!(format!("{seed:?}"), "DrawSeed");
        for bad in ["", "abc", &"A".repeat(64), &"0".repeat(63), &"g".repeat(64)] {
            assert_eq!(DrawSeed::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_lobby_comes_first_and_later_seconds_in_their_order() {
        let drawn_at = DateTime::from_timestamp_millis(1_800_000_000_000).expect("a time").naive_utc();
        let slot = |milliseconds| slot_of(drawn_at + TimeDelta::milliseconds(milliseconds), drawn_at);
        assert_eq!([slot(-3_600_000), slot(-1), slot(0), slot(999), slot(1000)], [0, 0, 1, 1, 2]);
        assert!(Position::new(0, u32::MAX) < Position::new(1, 0));
        assert_eq!(Position::new(7, 5).slot(), 7);
        assert_eq!(Position::from_number(Position::new(7, 5).number()), Position::new(7, 5));
    }

    #[test]
    fn a_position_moves_within_its_slot_only() {
        let half = Position::new(3, 1 << 31);
        assert!((half.share() - 0.5).abs() < 1e-9);
        assert_eq!(Position::start_of(3).further(0.5), half);
        assert_eq!(half.further(0.5), Position::start_of(4));
        assert_eq!(half.further(7.0), Position::start_of(4));
        assert_eq!(half.further(0.0), half);
    }

    /// Pearson's test, for each of a hundred draws of two thousand places into a hundred parts of the line. Its value
    /// has 99 degrees of freedom: 99 on average, and above 161 once in ten thousand draws.
    #[test]
    fn a_hundred_draws_are_uniform() {
        const PARTS: usize = 100;
        const PLACES: usize = 2_000;
        let statistic = |draw: usize| {
            let seed = seed(&format!("draw {draw}"));
            let mut found = [0_u32; PARTS];
            for place in 0..PLACES {
                let share = Position::new(0, seed.fraction(&format!("{place:020x}"))).share();
                found[(share * PARTS as f64) as usize] += 1;
            }
            let expected = (PLACES / PARTS) as f64;
            found.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum::<f64>()
        };
        let statistics: Vec<f64> = (0..100).map(statistic).collect();
        let mean = statistics.iter().sum::<f64>() / 100.0;
        // The mean's standard deviation is sqrt(2 * 99 / 100) = 1.41.
        assert!((mean - 99.0).abs() < 5.0, "mean {mean}");
        assert!(statistics.iter().all(|it| (50.0..170.0).contains(it)), "{statistics:?}");
    }

    #[test]
    fn who_is_first_in_one_draw_is_not_in_the_next() {
        let number = |place: usize| format!("{place:020x}");
        let first =
            |draw: usize| (0..100).min_by_key(|it| seed(&format!("draw {draw}")).fraction(&number(*it)));
        let firsts: std::collections::HashSet<_> = (0..100).filter_map(first).collect();
        // 63 different ones are expected.
        assert!(firsts.len() > 45, "{firsts:?}");
    }
}
