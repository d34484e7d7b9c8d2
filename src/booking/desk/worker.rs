//! The worker behind the desk: takes what waits, books it as one batch, answers, and begins again.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::DeskLimits;
use super::letter_box::Mail;
use super::order_slip::OrderSlip;
use super::sold_out::SoldOut;
use super::vitals::Vitals;
use crate::booking::store::Batch;
use crate::booking::{Order, Outcome};
use crate::db::Failure;
use crate::error::Error;
use crate::events::board::Board;
use crate::outbox::wakeup::Wakeup;

/// The first wait after the database could not be reached, and the longest: the desk is back at work
/// within a moment of the database's return.
const RETRY_FIRST: Duration = Duration::from_millis(5);
const RETRY_LONGEST: Duration = Duration::from_millis(200);
/// How often a worker without work shows that it is there.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// Books a batch as a whole, or says why it did not.
pub(super) type Books = Box<dyn FnMut(&[&Order]) -> Result<Batch, Failure> + Send>;

pub(super) struct Worker {
    books: Books,
    slips: Receiver<OrderSlip>,
    vitals: Arc<Vitals>,
    board: Arc<Board>,
    sold_out: Arc<SoldOut>,
    mail: Arc<Wakeup>,
    limits: DeskLimits,
    /// Slips that are taken but not booked yet: another with their key, which differs, goes first.
    put_back: Vec<OrderSlip>,
}

/// One order of a batch, and those that are the same order sent again.
struct Entry {
    slip: OrderSlip,
    again: Vec<OrderSlip>,
}

impl Worker {
    pub(super) fn new(
        books: Books,
        slips: Receiver<OrderSlip>,
        vitals: Arc<Vitals>,
        (board, sold_out, mail): (Arc<Board>, Arc<SoldOut>, Arc<Wakeup>),
        limits: DeskLimits,
    ) -> Self {
        Self { books, slips, vitals, board, sold_out, mail, limits, put_back: Vec::new() }
    }

    /// Works until the desk is closed. A panic drops the batch at hand, whose buyers are told so, and the
    /// connection that it used; nothing else is left half done, so the work goes on.
    pub(super) fn run(mut self) {
        while catch_unwind(AssertUnwindSafe(|| self.work())).is_err() {
            log::error!("the desk has dropped a batch: see the panic above");
        }
    }

    fn work(&mut self) {
        while let Some(entries) = self.next_batch() {
            self.book(entries);
        }
    }

    /// Everything that waits, up to the batch size; waits for the first. `None` when the desk is closed.
    fn next_batch(&mut self) -> Option<Vec<Entry>> {
        let first = self.put_back.pop().or_else(|| self.wait_for_wanted())?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut by_key: HashMap<String, usize> = HashMap::new();
        let mut put_back = Vec::new();
        let mut next = Some(first);
        for _ in 0..self.limits.batch_size {
            let Some(slip) = next else { break };
            match by_key.get(&slip.order.request_key).map(|&index| &mut entries[index]) {
                Some(entry) if entry.slip.order == slip.order => entry.again.push(slip),
                Some(_) => put_back.push(slip),
                None => {
                    by_key.insert(slip.order.request_key.clone(), entries.len());
                    entries.push(Entry { slip, again: Vec::new() });
                }
            }
            next = self.put_back.pop().or_else(|| self.next_wanted());
        }
        put_back.extend(next);
        self.put_back.append(&mut put_back);
        Some(entries)
    }

    /// The next slip that somebody still wants, when it comes; `None` when the desk is closed.
    fn wait_for_wanted(&self) -> Option<OrderSlip> {
        loop {
            self.vitals.note_rest();
            let slip = match self.slips.recv_timeout(BEAT_EVERY) {
                Ok(slip) => slip,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return None,
            };
            self.vitals.note_taken();
            if slip.is_wanted() {
                return Some(slip);
            }
        }
    }

    /// The next slip that somebody still wants, when there is one.
    fn next_wanted(&self) -> Option<OrderSlip> {
        let taken = || self.slips.try_recv().ok().inspect(|_| self.vitals.note_taken());
        std::iter::from_fn(taken).find(OrderSlip::is_wanted)
    }

    /// Books the entries, trying again while the database is away and somebody still waits. Orders whose
    /// batch was cut off are found by their keys when it is sent again.
    fn book(&mut self, mut entries: Vec<Entry>) {
        let mut wait = RETRY_FIRST;
        loop {
            entries = shed_late(entries);
            if entries.is_empty() {
                return;
            }
            self.vitals.pulse.begin_waiting();
            let orders: Vec<&Order> = entries.iter().map(|entry| &*entry.slip.order).collect();
            let begun = Instant::now();
            let booked = (self.books)(&orders);
            self.vitals.pulse.beat();
            match booked {
                Ok(batch) => {
                    self.vitals.figures.note_batch(orders.len(), begun.elapsed());
                    return self.answer(entries, batch);
                }
                Err(Failure::Passing(message)) => {
                    self.vitals.figures.note_retry();
                    log::warn!("a batch of {} orders is tried again: {message}", orders.len());
                    thread::sleep(wait);
                    wait = (wait * 2).min(RETRY_LONGEST);
                }
                Err(Failure::Lasting(error)) => return self.book_one_by_one(entries, error),
            }
        }
    }

    fn answer(&self, entries: Vec<Entry>, batch: Batch) {
        // Before the answers: a buyer who looks at once sees the own booking counted.
        self.board.announce(&batch.stock);
        if batch.outcomes.iter().any(|outcome| matches!(outcome, Outcome::Booked(_))) {
            self.mail.notify();
        }
        self.sold_out.learn(&batch, entries.iter().map(|entry| &*entry.slip.order));
        let mut mail = Mail::default();
        for (entry, outcome) in entries.into_iter().zip(batch.outcomes) {
            for slip in entry.again {
                slip.answer(Ok(seen_again(&outcome)), &mut mail);
            }
            entry.slip.answer(Ok(outcome), &mut mail);
        }
        mail.send();
    }

    /// One order that the database cannot take must not fail the others.
    fn book_one_by_one(&mut self, mut entries: Vec<Entry>, error: diesel::result::Error) {
        if entries.len() > 1 {
            return entries.into_iter().for_each(|entry| self.book(vec![entry]));
        }
        let mut mail = Mail::default();
        if let Some(entry) = entries.pop() {
            for slip in entry.again {
                slip.answer(Err(Error::Busy), &mut mail);
            }
            entry.slip.answer(Err(Error::Database(error)), &mut mail);
        }
        mail.send();
    }
}

/// Tells those who waited too long that it is busy, and keeps the others.
fn shed_late(entries: Vec<Entry>) -> Vec<Entry> {
    let (late, kept): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|entry| entry.slip.is_late());
    let mut mail = Mail::default();
    for slip in late.into_iter().flat_map(|entry| entry.again.into_iter().chain([entry.slip])) {
        slip.answer(Err(Error::Busy), &mut mail);
    }
    mail.send();
    kept
}

/// What the same order hears that came in the same batch.
fn seen_again(outcome: &Outcome) -> Outcome {
    match outcome {
        Outcome::Booked(booking) => Outcome::Replayed(booking.clone()),
        other => other.clone(),
    }
}
