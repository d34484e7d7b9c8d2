//! What is proposed to the database when not all orders of a batch can be booked: as many as fit, first come,
//! first served. A smaller later order may still fit. Proposals only: whether the tickets are there, and
//! whether a person may have them, is for the statement to say.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text};

use crate::booking::buyer::normalized_email;
use crate::booking::{BookingOutcome, Order};

/// What is left, as far as anybody knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Left {
    /// By tier.
    pub(super) stock: HashMap<i64, i32>,
    /// By tier and normalized address: those who asked for more than they may have.
    pub(super) people: HashMap<(i64, String), Person>,
}

/// What one address holds of a tier.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) limit: i32,
    pub(super) held: i32,
}

/// Why an order is not proposed.
enum NotProposed {
    NotEnough,
    OverPersonLimit(Person),
}

impl Left {
    /// The orders, of those that are open, that fit. Notes what the others hear: what is left once those that
    /// do fit have taken theirs.
    pub(super) fn propose(
        mut self,
        orders: &[&Order],
        open: &[usize],
        outcomes: &mut [Option<BookingOutcome>],
    ) -> Vec<usize> {
        let (mut fitting, mut refused) = (Vec::new(), Vec::new());
        for &index in open {
            match self.take(orders[index]) {
                Ok(()) => fitting.push(index),
                Err(refusal) => refused.push((index, refusal)),
            }
        }
        for (index, refusal) in refused {
            let left = self.stock.get(&orders[index].ticket_type_id).copied().unwrap_or_default();
            outcomes[index] = Some(match refusal {
                NotProposed::NotEnough => BookingOutcome::NotEnough { left },
                NotProposed::OverPersonLimit(Person { limit, held }) => {
                    BookingOutcome::OverPersonLimit { limit, held }
                }
            });
        }
        fitting
    }

    fn take(&mut self, order: &Order) -> Result<(), NotProposed> {
        let stock = self.stock.entry(order.ticket_type_id).or_default();
        if order.quantity > *stock {
            return Err(NotProposed::NotEnough);
        }
        if !self.people.is_empty() {
            let person = (order.ticket_type_id, normalized_email(&order.buyer.email));
            if let Some(person) = self.people.get_mut(&person) {
                if person.held + order.quantity > person.limit {
                    return Err(NotProposed::OverPersonLimit(*person));
                }
                person.held += order.quantity;
            }
        }
        *stock -= order.quantity;
        Ok(())
    }
}

#[derive(QueryableByName)]
struct Over {
    #[diesel(sql_type = Text)]
    person: String,
    #[diesel(sql_type = Integer)]
    held: i32,
}

/// Who asks with these orders for more of a tier than one person may have, and what they hold.
pub(super) fn over_limit<'a>(
    pg: &mut PgConnection,
    ticket_type_id: i64,
    limit: i32,
    orders: impl Iterator<Item = &'a Order>,
) -> QueryResult<Vec<(String, i32)>> {
    let mut wanted: BTreeMap<String, i32> = BTreeMap::new();
    for order in orders {
        *wanted.entry(normalized_email(&order.buyer.email)).or_default() += order.quantity;
    }
    let (people, quantities): (Vec<String>, Vec<i32>) = wanted.into_iter().unzip();
    let over: Vec<Over> = diesel::sql_query("SELECT person, held FROM over_person_limit($1, $2, $3, $4)")
        .bind::<BigInt, _>(ticket_type_id)
        .bind::<Integer, _>(limit)
        .bind::<Array<Text>, _>(people)
        .bind::<Array<Integer>, _>(quantities)
        .load(pg)?;
    Ok(over.into_iter().map(|over| (over.person, over.held)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::buyer::Buyer;

    fn order(ticket_type_id: i64, quantity: i32, email: &str) -> Order {
        let buyer = Buyer { name: "Ada".into(), email: email.into() };
        Order { ticket_type_id, quantity, buyer, request_key: String::new() }
    }

    #[test]
    fn a_smaller_later_order_may_still_fit() {
        let ada = "ada@example.org";
        let orders =
            [order(1, 3, ada), order(1, 4, ada), order(2, 1, ada), order(1, 2, ada), order(1, 1, ada)];
        let orders: Vec<&Order> = orders.iter().collect();
        let left = Left { stock: HashMap::from([(1, 5), (2, 0)]), ..Left::default() };
        let mut outcomes = vec![None; orders.len()];
        assert_eq!(left.propose(&orders, &[0, 1, 2, 3, 4], &mut outcomes), [0, 3]);
        let none = Some(BookingOutcome::NotEnough { left: 0 });
        assert_eq!(outcomes, [None, none.clone(), none.clone(), None, none]);
    }

    #[test]
    fn whoever_may_not_have_more_takes_nothing_from_the_others() {
        let orders =
            [order(1, 2, "Ada@example.org"), order(1, 1, "ada@example.org"), order(1, 2, "bob@example.org")];
        let orders: Vec<&Order> = orders.iter().collect();
        let ada = ((1, "ada@example.org".to_owned()), Person { limit: 4, held: 3 });
        let left = Left { stock: HashMap::from([(1, 3)]), people: HashMap::from([ada]) };
        let mut outcomes = vec![None; orders.len()];
        assert_eq!(left.propose(&orders, &[0, 1, 2], &mut outcomes), [1, 2]);
        assert_eq!(outcomes[0], Some(BookingOutcome::OverPersonLimit { limit: 4, held: 3 }));
    }
}
