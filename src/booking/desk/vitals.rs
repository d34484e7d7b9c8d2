//! What is seen of the desk from outside: who waits, whether the worker is alive, and what it has done.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::figures::Figures;
use crate::pulse::Pulse;

#[derive(Default)]
pub(super) struct Vitals {
    /// Orders in the queue.
    waiting: AtomicUsize,
    /// From the first order of a batch until its last answer.
    is_at_work: AtomicBool,
    /// The worker's.
    pub(super) pulse: Pulse,
    pub(super) figures: Figures,
}

impl Vitals {
    pub(super) fn note_waiting(&self) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
    }

    /// The queue was full after all.
    pub(super) fn note_refused(&self) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    /// The worker has taken an order out of the queue.
    pub(super) fn note_taken(&self) {
        // First, so that nobody sees an order neither waiting nor being booked.
        self.is_at_work.store(true, Ordering::Release);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    /// The worker has done everything that it took, and looks for more.
    pub(super) fn note_rest(&self) {
        self.is_at_work.store(false, Ordering::Release);
        self.pulse.beat();
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Whether no order waits and none is being booked.
    pub(super) fn is_at_rest(&self) -> bool {
        self.waiting() == 0 && !self.is_at_work.load(Ordering::Acquire)
    }
}
