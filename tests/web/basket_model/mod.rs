//! Compares the desk, and everything that can happen to a booking, with a model: orders of several ticket types,
//! holds that are confirmed or expire, returned tickets, cancellations, pauses of the concert and of a ticket type.

mod model;
mod shop;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use testkit::long::rounds;

use self::model::Model;
use self::shop::Shop;

const KEYS: u8 = 6;

/// An operation on the shop.
#[derive(Debug, Clone)]
enum Operation {
    Order(Basket),
    /// Confirms a held booking.
    Confirm {
        key: u8,
    },
    /// Ends the time of a held booking.
    Expire {
        key: u8,
    },
    GiveBack {
        key: u8,
        seat: i32,
    },
    Cancel {
        key: u8,
    },
    PauseEvent {
        is_paused: bool,
    },
    PauseType {
        index: usize,
        is_paused: bool,
    },
}

/// An order of some ticket types.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Basket {
    key: u8,
    /// One quantity for each ticket type; 0 where none is ordered.
    quantities: [i32; 3],
    is_ada: bool,
    is_held: bool,
}

impl Basket {
    fn buyer(&self) -> &'static str {
        if self.is_ada { "Ada" } else { "Bob" }
    }

    /// Whether the other is the same order, held or booked.
    fn is_same(&self, other: &Self) -> bool {
        (self.quantities, self.is_ada) == (other.quantities, other.is_ada)
    }
}

proptest! {
    #![proptest_config(config())]

    /// This test found a bug: the desk refused an order of two ticket types from memory, because the same key had
    /// asked for one sold-out ticket type a moment before.
    #[test]
    fn whatever_happens_to_bookings_every_ticket_is_accounted_for(operations in vec(operation(), 1..30)) {
        run(&operations)?;
    }
}

fn config() -> ProptestConfig {
    let base = ProptestConfig { cases: rounds(24), failure_persistence: None, ..ProptestConfig::default() };
    ProptestConfig { max_shrink_time: 60_000, ..base }
}

fn operation() -> impl Strategy<Value = Operation> {
    let key = || 0..KEYS;
    prop_oneof![
        12 => basket().prop_map(Operation::Order),
        3 => key().prop_map(|key| Operation::Confirm { key }),
        3 => key().prop_map(|key| Operation::Expire { key }),
        4 => (key(), 1..8).prop_map(|(key, seat)| Operation::GiveBack { key, seat }),
        2 => key().prop_map(|key| Operation::Cancel { key }),
        1 => any::<bool>().prop_map(|is_paused| Operation::PauseEvent { is_paused }),
        1 => (0..3_usize, any::<bool>()).prop_map(|(index, is_paused)| Operation::PauseType { index, is_paused }),
    ]
}

fn basket() -> impl Strategy<Value = Basket> {
    let quantities = [0..4, 0..4, 0..4];
    (0..KEYS, quantities, prop::bool::weighted(0.8), any::<bool>())
        .prop_filter("something is wanted", |(_, quantities, ..)| quantities.iter().sum::<i32>() > 0)
        .prop_map(|(key, quantities, is_ada, is_held)| Basket { key, quantities, is_ada, is_held })
}

fn run(operations: &[Operation]) -> TestCaseResult {
    let shop = Shop::open();
    let mut model = Model::new();
    for operation in operations {
        perform(operation, &shop, &mut model)?;
        prop_assert_eq!(shop.left(), model.left(), "what is left after {:?}", operation);
        prop_assert_eq!(shop.bookings(), model.bookings(), "the bookings after {:?}", operation);
    }
    shop.assert_reconciled();
    Ok(())
}

fn perform(operation: &Operation, shop: &Shop, model: &mut Model) -> TestCaseResult {
    match operation {
        Operation::Order(basket) => {
            let outcome = shop.order(basket);
            prop_assert_eq!(model::short(&outcome), model.order(basket), "{:?}", basket);
        }
        Operation::Confirm { key } => {
            prop_assert_eq!(shop.confirm(*key), model.confirm(*key), "confirm {}", key)
        }
        Operation::Expire { key } => {
            shop.expire(*key);
            model.expire(*key);
        }
        Operation::GiveBack { key, seat } => {
            let given = shop.give_back(*key, Some(*seat));
            prop_assert_eq!(given, model.give_back(*key, Some(*seat)), "seat {} of {}", seat, key);
        }
        Operation::Cancel { key } => {
            prop_assert_eq!(shop.give_back(*key, None), model.give_back(*key, None), "cancel {}", key);
        }
        Operation::PauseEvent { is_paused } => {
            shop.pause_event(*is_paused);
            model.event_is_paused = *is_paused;
        }
        Operation::PauseType { index, is_paused } => {
            shop.pause_type(*index, *is_paused);
            model.type_is_paused[*index] = *is_paused;
        }
    }
    Ok(())
}
