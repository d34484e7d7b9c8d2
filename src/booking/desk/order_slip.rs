//! An order on its way through the queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::letter_box::{Letter, LetterBox, Mail};
use crate::booking::{Order, Outcome};
use crate::error::Error;

/// An order, the way back to its buyer, and the hour at which it is given up.
pub(super) struct OrderSlip {
    pub(super) order: Arc<Order>,
    deadline: Instant,
    claim: Claim,
    answer: oneshot::Sender<Result<Outcome, Error>>,
    letter_box: LetterBox,
}

/// Decides who ends an order, the worker by booking it or the buyer by giving it up: whoever takes it
/// first. So an order that a buyer was told is given up is never booked afterward.
#[derive(Clone, Default)]
pub(super) struct Claim(Arc<AtomicBool>);

impl Claim {
    /// Whether the caller is the first.
    pub(super) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

impl OrderSlip {
    pub(super) fn new(
        order: Arc<Order>,
        patience: Duration,
    ) -> (Self, oneshot::Receiver<Result<Outcome, Error>>) {
        let (answer, receiver) = oneshot::channel();
        let deadline = Instant::now() + patience;
        (
            Self {
                order,
                deadline,
                claim: Claim::default(),
                answer,
                letter_box: LetterBox::of_this_thread(),
            },
            receiver,
        )
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

    /// Adds the answer to what is sent when the batch is done.
    pub(super) fn answer(self, outcome: Result<Outcome, Error>, mail: &mut Mail) {
        mail.add(self.letter_box, Letter { to: self.answer, answer: outcome });
    }
}
