//! The worker behind the desk: takes the orders that wait, books them as one batch, replies, and repeats.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::locked_types::LockedTypes;
use super::metrics::DeskMetrics;
use super::replies::Replies;
use super::sold_out::SoldOut;
use super::{DeskLimits, QueuedOrder};
use crate::booking::store::{self, Batch};
use crate::booking::{BookingOutcome, Order};
use crate::db::{Failure, Writer};
use crate::error::Error;
use crate::events::board::Board;
use crate::outbox::wakeup::Wakeup;

/// The first and the longest pause between attempts while the database is unreachable.
const RETRY_FIRST: Duration = Duration::from_millis(5);
const RETRY_LONGEST: Duration = Duration::from_millis(200);
/// A batch that fails after so long has waited for a lock: half of the writer's `lock_timeout`.
const LOCKED_AFTER: Duration = Duration::from_millis(500);
/// How often an idle worker beats its heartbeat.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// What a desk books with.
pub(super) trait BookingStore: Send {
    /// Books a batch as a whole, or says why it did not.
    fn book_batch(&mut self, orders: &[&Order]) -> Result<Batch, Failure>;

    /// Whether somebody else keeps a ticket type locked, so that a batch would wait for it.
    fn is_locked(&mut self, _ticket_type_id: i64) -> bool {
        false
    }
}

impl<F: FnMut(&[&Order]) -> Result<Batch, Failure> + Send> BookingStore for F {
    fn book_batch(&mut self, orders: &[&Order]) -> Result<Batch, Failure> {
        self(orders)
    }
}

pub(super) struct DatabaseStore(pub(super) Writer);

impl BookingStore for DatabaseStore {
    fn book_batch(&mut self, orders: &[&Order]) -> Result<Batch, Failure> {
        self.0.run(|db| store::book_batch(db, orders))
    }

    fn is_locked(&mut self, ticket_type_id: i64) -> bool {
        // When the database cannot say, the batch finds out.
        self.0.run(|db| store::is_locked(db, ticket_type_id)).unwrap_or(false)
    }
}

pub(super) struct Worker {
    store: Box<dyn BookingStore>,
    queue: Receiver<QueuedOrder>,
    metrics: Arc<DeskMetrics>,
    board: Arc<Board>,
    sold_out: Arc<SoldOut>,
    outbox_wakeup: Arc<Wakeup>,
    limits: DeskLimits,
    /// Orders that were taken out of the queue but must wait for the next batch: this one is full, or has a
    /// different order with the same key.
    put_back: Vec<QueuedOrder>,
    locked: LockedTypes,
}

/// One order of a batch, and its repetitions.
struct Entry {
    first: QueuedOrder,
    repeats: Vec<QueuedOrder>,
}

impl Entry {
    fn ticket_types(&self) -> impl Iterator<Item = i64> {
        self.first.order.lines().iter().map(|line| line.ticket_type_id)
    }
}

impl Worker {
    pub(super) fn new(
        store: Box<dyn BookingStore>,
        queue: Receiver<QueuedOrder>,
        metrics: Arc<DeskMetrics>,
        (board, sold_out, outbox_wakeup): (Arc<Board>, Arc<SoldOut>, Arc<Wakeup>),
        limits: DeskLimits,
    ) -> Self {
        Self {
            store,
            queue,
            metrics,
            board,
            sold_out,
            outbox_wakeup,
            limits,
            put_back: Vec::new(),
            locked: LockedTypes::default(),
        }
    }

    /// Works until the desk is closed. A panic drops the current batch and its connection; the handlers that
    /// wait for that batch get an error, and the work goes on.
    pub(super) fn run(mut self) {
        while catch_unwind(AssertUnwindSafe(|| self.work())).is_err() {
            log::error!("the desk dropped a batch after a panic (logged above)");
        }
    }

    fn work(&mut self) {
        while let Some(entries) = self.next_batch() {
            self.book(entries);
        }
    }

    /// All waiting orders, up to the batch size; waits for the first. `None` when the desk is closed.
    fn next_batch(&mut self) -> Option<Vec<Entry>> {
        let first = self.put_back.pop().or_else(|| self.wait_for_wanted())?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut by_key: HashMap<String, usize> = HashMap::new();
        let mut put_back = Vec::new();
        let mut next = Some(first);
        for _ in 0..self.limits.batch_size {
            let Some(queued) = next else { break };
            match by_key.get(&queued.order.request_key).map(|&index| &mut entries[index]) {
                Some(entry) if entry.first.order == queued.order => entry.repeats.push(queued),
                Some(_) => put_back.push(queued),
                None => {
                    by_key.insert(queued.order.request_key.clone(), entries.len());
                    entries.push(Entry { first: queued, repeats: Vec::new() });
                }
            }
            next = self.put_back.pop().or_else(|| self.next_wanted());
        }
        put_back.extend(next);
        self.put_back.append(&mut put_back);
        Some(entries)
    }

    /// Waits for the next order whose handler still waits; `None` when the desk is closed.
    fn wait_for_wanted(&self) -> Option<QueuedOrder> {
        loop {
            self.metrics.note_idle();
            let queued = match self.queue.recv_timeout(BEAT_EVERY) {
                Ok(queued) => queued,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return None,
            };
            self.metrics.note_taken();
            if queued.is_wanted() {
                return Some(queued);
            }
        }
    }

    /// The next order whose handler still waits, if there is one now.
    fn next_wanted(&self) -> Option<QueuedOrder> {
        let taken = || self.queue.try_recv().ok().inspect(|_| self.metrics.note_taken());
        std::iter::from_fn(taken).find(QueuedOrder::is_wanted)
    }

    /// Books the entries. Retries after a failure that may pass, until the orders' deadlines. If a commit's
    /// answer was lost, the retry finds the bookings by their request keys.
    fn book(&mut self, mut entries: Vec<Entry>) {
        let mut wait = RETRY_FIRST;
        let mut may_be_booked = false;
        loop {
            entries = self.reject_locked(reject_late(entries, may_be_booked));
            if entries.is_empty() {
                return;
            }
            self.metrics.heartbeat.begin_waiting();
            let orders: Vec<&Order> = entries.iter().map(|entry| &*entry.first.order).collect();
            let started = Instant::now();
            let booked = self.store.book_batch(&orders);
            self.metrics.heartbeat.beat();
            match booked {
                Ok(batch) => {
                    self.metrics.note_batch(orders.len(), started.elapsed());
                    return self.reply(entries, batch);
                }
                Err(failure @ (Failure::Passing(_) | Failure::Unknown(_))) => {
                    may_be_booked |= matches!(failure, Failure::Unknown(_));
                    self.metrics.note_retry();
                    log::warn!("retrying a batch of {} orders: {failure}", orders.len());
                    thread::sleep(wait);
                    wait = (wait * 2).min(RETRY_LONGEST);
                }
                Err(Failure::Lasting(error)) => {
                    let has_waited = started.elapsed() >= LOCKED_AFTER;
                    // If a locked ticket type was the cause, the loop rejects its orders and books the others
                    // at once.
                    if !(has_waited && self.note_locked(&entries, &error)) {
                        return self.book_apart(entries, error, has_waited);
                    }
                }
            }
        }
    }

    fn reply(&self, entries: Vec<Entry>, batch: Batch) {
        // Before the replies: a buyer who looks right away sees the new count.
        self.board.announce(&batch.stock);
        if batch.outcomes.iter().any(|outcome| matches!(outcome, BookingOutcome::Booked(_))) {
            self.outbox_wakeup.notify();
        }
        self.sold_out.learn(&batch, entries.iter().map(|entry| &*entry.first.order));
        let mut replies = Replies::default();
        for (entry, outcome) in entries.into_iter().zip(batch.outcomes) {
            for repeat in entry.repeats {
                repeat.reply(Ok(as_replay(&outcome)), &mut replies);
            }
            entry.first.reply(Ok(outcome), &mut replies);
        }
        replies.send();
    }

    /// Books each order in a batch of its own, so that one that the database rejects does not fail the
    /// others. An order that is alone is answered: with "busy" if it waited for a lock until the time-out,
    /// otherwise with the error.
    fn book_apart(&mut self, mut entries: Vec<Entry>, error: diesel::result::Error, has_waited: bool) {
        if entries.len() > 1 {
            return entries.into_iter().for_each(|entry| self.book(vec![entry]));
        }
        if has_waited {
            return reply_busy(entries);
        }
        let mut replies = Replies::default();
        if let Some(entry) = entries.pop() {
            for repeat in entry.repeats {
                repeat.reply(Err(Error::Busy), &mut replies);
            }
            entry.first.reply(Err(Error::Database(error)), &mut replies);
        }
        replies.send();
    }

    /// Notes which ticket types of a batch that ran into the lock time-out are locked; returns whether there are any.
    fn note_locked(&mut self, entries: &[Entry], error: &diesel::result::Error) -> bool {
        let locked: Vec<i64> =
            ticket_types(entries).into_iter().filter(|&id| self.store.is_locked(id)).collect();
        for &id in &locked {
            log::warn!(
                "ticket type {id} is locked by another session, so its orders are rejected as busy: {error}"
            );
            self.locked.note(id, Instant::now());
        }
        !locked.is_empty()
    }

    /// Replies "busy" to orders of ticket types that are locked, and keeps the others.
    fn reject_locked(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        if self.locked.is_empty() {
            return entries;
        }
        for id in ticket_types(&entries) {
            if self.locked.is_due(id, Instant::now()) {
                if self.store.is_locked(id) {
                    self.locked.note(id, Instant::now());
                } else {
                    self.locked.remove(id);
                }
            }
        }
        let is_locked = |entry: &Entry| entry.ticket_types().any(|id| self.locked.contains(id));
        let (locked, kept): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(is_locked);
        reply_busy(locked);
        kept
    }
}

/// The distinct ticket types of these orders.
fn ticket_types(entries: &[Entry]) -> BTreeSet<i64> {
    entries.iter().flat_map(Entry::ticket_types).collect()
}

/// Answers the orders that are past their deadline: "busy", or "outcome unknown" if they may be booked. Keeps
/// the others.
fn reject_late(entries: Vec<Entry>, may_be_booked: bool) -> Vec<Entry> {
    let (late, kept): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|entry| entry.first.is_late());
    reply_all(late, || if may_be_booked { Error::OutcomeUnknown } else { Error::Busy });
    kept
}

fn reply_busy(entries: Vec<Entry>) {
    reply_all(entries, || Error::Busy);
}

fn reply_all(entries: Vec<Entry>, error: impl Fn() -> Error) {
    let mut replies = Replies::default();
    for queued in entries.into_iter().flat_map(|entry| entry.repeats.into_iter().chain([entry.first])) {
        queued.reply(Err(error()), &mut replies);
    }
    replies.send();
}

/// The outcome of a repetition in the same batch.
fn as_replay(outcome: &BookingOutcome) -> BookingOutcome {
    match outcome {
        BookingOutcome::Booked(booking) => BookingOutcome::Replayed(booking.clone()),
        other => other.clone(),
    }
}
