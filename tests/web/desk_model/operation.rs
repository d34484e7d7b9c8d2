//! The operations on the shop, and how they are printed when a case fails.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;

/// Few tickets, so that tiers sell out, and few keys, so that they are used again.
pub const CAPACITIES: [i32; 3] = [4, 7, 11];
/// The most of each tier that one person may hold.
pub const PERSON_LIMITS: [Option<i32>; 3] = [None, Some(3), Some(6)];
const KEYS: u8 = 8;
const QUANTITY_MAX: i32 = 5;
/// The index of a tier that does not exist.
pub const NO_TIER: usize = CAPACITIES.len();

#[derive(Clone)]
pub enum Operation {
    Order(Asked),
    /// Sends all orders before the first is answered.
    AtOnce(Vec<Asked>),
    Cancel {
        key: u8,
    },
    Reseed,
}

/// An order. A key with another buyer is another order.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    pub key: u8,
    pub tier: usize,
    pub quantity: i32,
    pub is_ada: bool,
}

impl Asked {
    pub fn buyer(&self) -> &'static str {
        if self.is_ada { "Ada" } else { "Bob" }
    }

    /// The buyer's address, with the spellings that different keyboards produce.
    pub fn email(&self) -> &'static str {
        match (self.is_ada, self.key % 3) {
            (true, 0) => "ada.li\u{e9}@example.org",
            (true, 1) => "ADA.LIE\u{301}@Example.org",
            (true, _) => "Ada.Li\u{e9}@example.org",
            (false, 0) => "BOB@example.org",
            (false, _) => "bob@example.org",
        }
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, tier, quantity, .. } = self;
        write!(f, "key {key}: {} × tier {tier} for {}", quantity, self.buyer())
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(order) => write!(f, "order {order:?}"),
            Self::AtOnce(orders) => write!(f, "at once {orders:?}"),
            Self::Cancel { key } => write!(f, "cancel key {key}"),
            Self::Reseed => write!(f, "reseed"),
        }
    }
}

pub fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let operation = prop_oneof![
        10 => asked().prop_map(Operation::Order),
        4 => vec(asked(), 2..12).prop_map(Operation::AtOnce),
        3 => (0..KEYS).prop_map(|key| Operation::Cancel { key }),
        1 => Just(Operation::Reseed),
    ];
    vec(operation, 1..30)
}

fn asked() -> impl Strategy<Value = Asked> {
    let tier = prop_oneof![6 => Just(0_usize), 5 => Just(1), 4 => Just(2), 1 => Just(NO_TIER)];
    // Mostly one buyer, so that most repetitions are real replays, and that buyer reaches the limits.
    (0..KEYS, tier, 1..=QUANTITY_MAX, prop::bool::weighted(0.9))
        .prop_map(|(key, tier, quantity, is_ada)| Asked { key, tier, quantity, is_ada })
}
