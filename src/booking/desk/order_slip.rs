//! An order on its way through the queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::booking::{Order, Outcome};
use crate::error::Error;

/// An order, the way back to its buyer, and the hour at which it is given up.
pub(super) struct OrderSlip {
    pub(super) order: Order,
    deadline: Instant,
    claim: Claim,
    answer: oneshot::Sender<Result<Outcome, Error>>,
}

/// Decides who ends an order, the worker by booking it or the buyer by giving it up: whoever takes it
/// first. So an order that a buyer was told is given up is never booked afterwards.
#[derive(Clone, Default)]
pub(super) struct Claim(Arc<AtomicBool>);

impl Claim {
    /// Whether the caller is the first.
    pub(super) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

impl OrderSlip {
    pub(super) fn new(order: Order, patience: Duration) -> (Self, oneshot::Receiver<Result<Outcome, Error>>) {
        let (answer, receiver) = oneshot::channel();
        let deadline = Instant::now() + patience;
        (Self { order, deadline, claim: Claim::default(), answer }, receiver)
    }

    pub(super) fn claim(&self) -> Claim {
        self.claim.clone()
    }

    /// Whether the worker may book it: its buyer is still there, and has not given up.
    pub(super) fn is_wanted(&self) -> bool {
        !self.answer.is_closed() && self.claim.take()
    }

    pub(super) fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    pub(super) fn answer(self, outcome: Result<Outcome, Error>) {
        // A buyer who has left meanwhile finds the booking by sending the same form again.
        drop(self.answer.send(outcome));
    }
}
