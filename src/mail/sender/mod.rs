//! The sender: takes due mails from the outbox and sends a few at a time, for as long as the server runs.
//!
//! It wakes after a booking, and every few seconds for mails that other servers have queued and for retries. While
//! there is work, it uses the database a few times a second: one transaction saves the results of the last mails and
//! takes the next ones. So the sender costs little during a rush, however many mails wait.
//!
//! What a mail says does not belong here: see `mail::messages`. Nor does SMTP: see `mail::transport`.

mod backoff;
mod delivery;
mod doubts;
mod limits;
mod recipients;

use std::collections::VecDeque;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use self::backoff::Backoff;
use self::delivery::{Delivery, DeliveryReport, ServerState};
use self::doubts::Doubts;
pub use self::limits::MailLimits;
use self::limits::time_delta;
use self::recipients::RecipientLimit;
use super::messages::MessageContext;
use super::transport::Transport;
use super::{DueMail, store};
use crate::db::{self, Database, Db};
use crate::outbox::store::Choice;
use crate::outbox::wakeup::Wakeup;
use crate::outbox::{self, AttemptOutcome, AttemptResult};

/// Between two looks at the outbox without a wakeup.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Between two transactions, while there is work.
const TRANSACTION_EVERY: Duration = Duration::from_millis(250);
/// How long a connection to the mail server may be idle before it is closed.
const CLOSE_IDLE_AFTER: Duration = Duration::from_secs(20);

/// Stops the sender.
#[derive(Clone, Default)]
pub struct StopHandle(Arc<Wakeup>);

impl StopHandle {
    /// No further mail is started.
    pub fn stop(&self) {
        self.0.notify();
    }
}

pub struct Sender {
    db: Database,
    limits: MailLimits,
    delivery: Rc<Delivery>,
    wakeup: Arc<Wakeup>,
    stop: StopHandle,
    /// Mails that were taken and are not started yet, each with the end of its lease.
    ready: VecDeque<(DueMail, Instant)>,
    sending: FuturesUnordered<LocalBoxFuture<'static, DeliveryReport>>,
    /// Results to be saved.
    results: Vec<AttemptResult>,
    backoff: Backoff,
    /// A mail may be due.
    may_find: bool,
    next_look: Instant,
    next_transaction: Instant,
    next_start: Instant,
    is_stopping: bool,
    is_database_available: bool,
}

impl Sender {
    #[must_use]
    pub fn new(
        db: Database,
        limits: MailLimits,
        context: MessageContext,
        transport: Transport,
        wakeup: Arc<Wakeup>,
        stop: StopHandle,
    ) -> Self {
        let now = Instant::now();
        Self {
            limits,
            delivery: Rc::new(Delivery {
                db: db.clone(),
                context: Arc::new(context),
                transport,
                limits,
                doubts: Mutex::<Doubts>::default(),
                recipients: RecipientLimit::new(limits.per_recipient),
            }),
            db,
            wakeup,
            stop,
            ready: VecDeque::new(),
            sending: FuturesUnordered::new(),
            results: Vec::new(),
            backoff: Backoff::default(),
            may_find: true,
            next_look: now + LOOK_EVERY,
            next_transaction: now,
            next_start: now,
            is_stopping: false,
            is_database_available: true,
        }
    }

    /// Runs until it is stopped. Then started mails are finished, and the others given back.
    pub async fn run(mut self) {
        while !self.is_stopping || !self.sending.is_empty() {
            let now = Instant::now();
            if self.wants_transaction(now) {
                self.transaction().await;
            }
            self.start_ready();
            self.wait().await;
        }
        self.release_ready();
        self.transaction().await;
        self.delivery.transport.close_idle(Duration::ZERO).await;
    }

    fn wants_transaction(&self, now: Instant) -> bool {
        now >= self.next_transaction && (!self.results.is_empty() || (self.may_find && self.room(now) > 0))
    }

    /// How many mails may be taken now. While the mail server is unavailable, one after each pause.
    fn room(&self, now: Instant) -> usize {
        let held = self.ready.len() + self.sending.len();
        match self.backoff.is_over(now) {
            _ if self.is_stopping => 0,
            None => self.limits.ahead().saturating_sub(held),
            Some(true) => 1_usize.saturating_sub(held),
            Some(false) => 0,
        }
    }

    /// One transaction: saves results and takes mails.
    async fn transaction(&mut self) {
        let now = Instant::now();
        if self.results.is_empty() && !self.is_anything_due().await {
            (self.may_find, self.next_transaction) = (false, now + TRANSACTION_EVERY);
            return;
        }
        let room = self.room(now);
        let results = mem::take(&mut self.results);
        let to_write = results.clone();
        let (lease, gives_up_after) =
            (time_delta(self.limits.lease()), time_delta(self.limits.gives_up_on_server_after()));
        let reason = self.backoff.reason().map(str::to_owned);
        let choice = match &reason {
            None => Choice::Oldest(room),
            Some(_) => Choice::Probe { newest: self.backoff.tries_newest() },
        };
        let transaction = self.db.write(move |db| {
            // Leases are compared between servers, whose own clocks may differ.
            let clock = db::clock(db)?;
            outbox::store::save_results(db, &to_write, clock)?;
            let taken = (room > 0).then(|| store::take(db, choice, clock, clock + lease)).transpose()?;
            if let Some(reason) = reason {
                outbox::store::give_up(db, clock - gives_up_after, clock, &reason)?;
            }
            Ok(taken)
        });
        self.next_transaction = now + TRANSACTION_EVERY;
        match transaction.await {
            Ok(taken) => {
                if let Some(taken) = taken {
                    self.may_find = !taken.is_all;
                    let until = now + self.limits.lease();
                    self.ready.extend(taken.mails.into_iter().map(|due| (due, until)));
                }
                self.is_database_available = true;
            }
            Err(error) => {
                // The results are saved when the database is available again.
                self.results.extend(results);
                self.next_transaction = now + LOOK_EVERY;
                if mem::take(&mut self.is_database_available) {
                    log::warn!("database unavailable, mails wait: {error}");
                }
            }
        }
    }

    /// Read before a transaction is started for it: on SQLite the desk waits for each transaction.
    async fn is_anything_due(&self) -> bool {
        let is_due = |db: &mut Db| {
            let clock = db::clock(db)?;
            outbox::store::is_anything_due(db, clock)
        };
        // When this fails, the transaction reports why.
        self.db.read_primary(is_due).await.unwrap_or(true)
    }

    /// Starts ready mails, as fast as the limits allow.
    fn start_ready(&mut self) {
        let now = Instant::now();
        let gap = Duration::from_secs(1) / self.limits.per_second;
        while self.sending.len() < self.limits.connections && now >= self.next_start && !self.is_stopping {
            let Some((due, leased_until)) = self.ready.pop_front() else { return };
            if leased_until < now + self.limits.timeout {
                // Its lease could end while it is being sent.
                self.results.push(released(&due));
                continue;
            }
            // Makes up for a late timer, but for no more than one transaction's time.
            self.next_start = self.next_start.max(now - TRANSACTION_EVERY) + gap;
            let delivery = Rc::clone(&self.delivery);
            self.sending.push(Box::pin(async move { delivery.deliver(due).await }));
        }
    }

    /// Waits until there is work.
    async fn wait(&mut self) {
        let now = Instant::now();
        if now >= self.next_look {
            (self.may_find, self.next_look) = (true, now + LOOK_EVERY);
            self.delivery.transport.close_idle(CLOSE_IDLE_AFTER).await;
            return;
        }
        let wakes_at = self.wakes_at(now);
        tokio::select! {
            Some(report) = self.sending.next(), if !self.sending.is_empty() => self.take_report(report),
            () = self.wakeup.notified(), if !self.may_find => self.may_find = true,
            () = self.stop.0.notified(), if !self.is_stopping => self.is_stopping = true,
            () = sleep_until(wakes_at) => {}
        }
    }

    fn wakes_at(&self, now: Instant) -> Instant {
        let has_slot = self.sending.len() < self.limits.connections && !self.is_stopping;
        let start = (has_slot && !self.ready.is_empty()).then_some(self.next_start);
        let wants = !self.results.is_empty() || (self.may_find && self.room(now) > 0);
        let transaction = wants.then_some(self.next_transaction);
        let pause = self.backoff.until().filter(|until| self.may_find && *until > now);
        [start, transaction, pause].into_iter().flatten().fold(self.next_look, Instant::min)
    }

    fn take_report(&mut self, report: DeliveryReport) {
        if let AttemptOutcome::Again(due_at, _) = &report.result.outcome {
            let wait = (*due_at - Utc::now().naive_utc()).to_std().unwrap_or_default();
            self.next_look = self.next_look.min(Instant::now() + wait);
        }
        self.results.push(report.result);
        self.results.extend(report.joined);
        let now = Instant::now();
        let is_pause = match report.server {
            ServerState::Unknown => false,
            ServerState::Accepts => {
                self.backoff.reset();
                false
            }
            ServerState::Doubtful(reason) => self.backoff.doubt(now, reason),
            ServerState::Unavailable(reason) => {
                self.backoff.pause(now, reason);
                true
            }
        };
        if is_pause {
            self.release_ready();
            self.may_find = true;
        }
    }

    /// Releases mails that were not started.
    fn release_ready(&mut self) {
        self.results.extend(self.ready.drain(..).map(|(due, _)| released(&due)));
    }
}

fn released(due: &DueMail) -> AttemptResult {
    AttemptResult { id: due.mail.id, lease: due.mail.due_at, outcome: AttemptOutcome::Released }
}
