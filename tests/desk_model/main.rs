//! The desk against a model of it: whatever is asked of it in whatever order, one after the other and many
//! at once, it answers as a shop with a pencil and a list would.

#[path = "../support/database.rs"]
#[allow(dead_code, reason = "the tests of the site use more of it")]
mod database;

mod model;
mod operation;
mod shop;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use self::model::Model;
use self::operation::{Operation, operations};
use self::shop::Shop;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        max_shrink_iters: 5_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Tried, each time alone:
    #[test]
    fn the_desk_does_what_the_model_does(operations in operations(), batch_size in 1..6_usize) {
        run(&operations, batch_size)?;
    }
}

fn run(operations: &[Operation], batch_size: usize) -> TestCaseResult {
    let shop = Shop::open(batch_size);
    let mut model = Model::new();
    for operation in operations {
        perform(operation, &shop, &mut model)?;
    }
    shop.assert_reconciled();
    Ok(())
}

fn perform(operation: &Operation, shop: &Shop, model: &mut Model) -> TestCaseResult {
    match operation {
        Operation::Order(order) => model.one(order, &shop.order(order))?,
        Operation::AtOnce(orders) => model.many(orders, &shop.order_at_once(orders))?,
        Operation::Cancel { key } => {
            shop.cancel(*key);
            model.cancel(*key);
        }
        Operation::Reseed => {
            shop.reseed();
            model.reseed();
        }
    }
    prop_assert_eq!(shop.tiers(), model.tiers(), "what is left");
    prop_assert_eq!(shop.bookings(), model.bookings(), "what is booked");
    Ok(())
}
