//! First come, first served, on both databases: which orders of a batch fit into what the earlier ones leave.
//! A smaller later order may still fit.
//!
//! This only proposes. The guarded UPDATE decides whether the tickets are there.

use std::collections::HashMap;

use crate::booking::buyer::normalized_email;
use crate::booking::{BookingOutcome, Order};

/// What is left for the next order of a batch.
#[derive(Debug, Clone, Default)]
pub(super) struct Remaining {
    /// By ticket type.
    pub(super) stock: HashMap<i64, i32>,
    /// What people hold of ticket types with a limit per person. Those who are missing are not limited.
    pub(super) people: HashMap<PersonKey, Holding>,
}

/// A ticket type and a normalized email address.
pub(super) type PersonKey = (i64, String);

/// What one person holds of a ticket type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holding {
    pub(super) limit: i32,
    pub(super) held: i32,
}

/// Why an order does not fit.
#[derive(Debug, Clone, Copy)]
pub(super) enum Misfit {
    NotEnough,
    OverPersonLimit(Holding),
}

impl Misfit {
    /// The outcome, once it is known how many tickets are left.
    pub(super) fn outcome(self, left: i32) -> BookingOutcome {
        match self {
            Self::NotEnough => BookingOutcome::NotEnough { left },
            Self::OverPersonLimit(Holding { limit, held }) => BookingOutcome::OverPersonLimit { limit, held },
        }
    }
}

pub(super) fn person_key(order: &Order) -> PersonKey {
    (order.ticket_type_id, normalized_email(&order.buyer.email))
}

impl Remaining {
    /// Whether the order fits. `person`: its key, needed only where people are limited.
    pub(super) fn check(&self, order: &Order, person: Option<&PersonKey>) -> Result<(), Misfit> {
        if order.quantity > self.stock.get(&order.ticket_type_id).copied().unwrap_or_default() {
            return Err(Misfit::NotEnough);
        }
        match person.and_then(|person| self.people.get(person)) {
            Some(holding) if holding.held + order.quantity > holding.limit => {
                Err(Misfit::OverPersonLimit(*holding))
            }
            _ => Ok(()),
        }
    }

    /// Takes the tickets of an order that fits.
    pub(super) fn take(&mut self, order: &Order, person: Option<&PersonKey>) {
        if let Some(left) = self.stock.get_mut(&order.ticket_type_id) {
            *left -= order.quantity;
        }
        if let Some(holding) = person.and_then(|person| self.people.get_mut(person)) {
            holding.held += order.quantity;
        }
    }

    /// Returns those of the open orders that fit. The outcomes of the others are noted: what is left for them
    /// is counted after the ones that fit have taken theirs.
    pub(super) fn propose(
        mut self,
        orders: &[&Order],
        open: &[usize],
        outcomes: &mut [Option<BookingOutcome>],
    ) -> Vec<usize> {
        let (mut fitting, mut misfits) = (Vec::new(), Vec::new());
        for &index in open {
            let person = (!self.people.is_empty()).then(|| person_key(orders[index]));
            match self.check(orders[index], person.as_ref()) {
                Ok(()) => {
                    self.take(orders[index], person.as_ref());
                    fitting.push(index);
                }
                Err(misfit) => misfits.push((index, misfit)),
            }
        }
        for (index, misfit) in misfits {
            let left = self.stock.get(&orders[index].ticket_type_id).copied().unwrap_or_default();
            outcomes[index] = Some(misfit.outcome(left));
        }
        fitting
    }
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
        let left = Remaining { stock: HashMap::from([(1, 5), (2, 0)]), ..Remaining::default() };
        let mut outcomes = vec![None; orders.len()];
        assert_eq!(left.propose(&orders, &[0, 1, 2, 3, 4], &mut outcomes), [0, 3]);
        let none = Some(BookingOutcome::NotEnough { left: 0 });
        assert_eq!(outcomes, [None, none.clone(), none.clone(), None, none]);
    }

    #[test]
    fn an_order_over_the_person_limit_takes_nothing_from_the_others() {
        let orders =
            [order(1, 2, "Ada@example.org"), order(1, 1, "ada@example.org"), order(1, 2, "bob@example.org")];
        let orders: Vec<&Order> = orders.iter().collect();
        let ada = ((1, "ada@example.org".to_owned()), Holding { limit: 4, held: 3 });
        let left = Remaining { stock: HashMap::from([(1, 3)]), people: HashMap::from([ada]) };
        let mut outcomes = vec![None; orders.len()];
        assert_eq!(left.propose(&orders, &[0, 1, 2], &mut outcomes), [1, 2]);
        assert_eq!(outcomes[0], Some(BookingOutcome::OverPersonLimit { limit: 4, held: 3 }));
    }
}
