//! The sender: takes what is due from the outbox and hands it on, a few at a time, for as long as the program
//! runs.
//!
//! It wakes when the desk has booked, and looks by itself now and then, for what other servers have queued
//! and for what is to be tried again. While it works it takes turns with the database a few times a second:
//! in one transaction it writes down what has become of the last mails and takes the next ones. So a rush
//! meets a sender that asks little of the database, whatever waits.

mod backoff;
mod delivery;

use std::collections::VecDeque;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use self::backoff::Backoff;
use self::delivery::{Delivery, DeliveryReport};
use super::messages::MessageContext;
use super::transport::Transport;
use super::{DueMail, store};
use crate::db::Database;
use crate::outbox::wakeup::Wakeup;
use crate::outbox::{self, Settlement, Verdict};

/// Between two looks at the outbox that nobody asked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Between two turns with the database, while there is something to do.
const TURN_EVERY: Duration = Duration::from_millis(250);
/// How long a connection to the mail server is kept for the next mail.
const REST_AFTER: Duration = Duration::from_secs(20);
/// Added to a lease for what comes before and after the sending itself.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

/// The limits of the sender.
#[derive(Debug, Clone, Copy)]
pub struct MailLimits {
    /// Mails begun in a second.
    pub per_second: u32,
    /// Mails sent at once, each on a connection of its own.
    pub connections: usize,
    /// How long one mail may take.
    pub timeout: Duration,
    /// The wait after the first attempt; each further one doubles it.
    pub retry_first: Duration,
    /// After which a mail that nobody has taken has failed.
    pub gives_up_after: Duration,
}

impl MailLimits {
    /// How long a mail is its taker's: it may wait once behind another that takes its whole time.
    fn lease(&self) -> Duration {
        self.timeout * 2 + LEASE_MARGIN
    }

    /// How many are held ready: what is begun in two turns.
    fn ahead(&self) -> usize {
        (self.per_second as usize / 2).clamp(1, 500)
    }
}

/// Ends the sender.
#[derive(Clone, Default)]
pub struct StopHandle(Arc<Wakeup>);

impl StopHandle {
    /// Nothing new is begun from now on.
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
    /// Taken, and to be begun.
    ready: VecDeque<DueMail>,
    sending: FuturesUnordered<LocalBoxFuture<'static, DeliveryReport>>,
    /// To be written down.
    settled: Vec<Settlement>,
    backoff: Backoff,
    /// There may be something due.
    may_find: bool,
    next_look: Instant,
    next_turn: Instant,
    next_start: Instant,
    is_stopping: bool,
    database_is_well: bool,
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
            db,
            limits,
            delivery: Rc::new(Delivery { context: Arc::new(context), transport, limits }),
            wakeup,
            stop,
            ready: VecDeque::new(),
            sending: FuturesUnordered::new(),
            settled: Vec::new(),
            backoff: Backoff::default(),
            may_find: true,
            next_look: now + LOOK_EVERY,
            next_turn: now,
            next_start: now,
            is_stopping: false,
            database_is_well: true,
        }
    }

    /// Works until it is stopped; then what has begun is brought to its end, and what has not is given back.
    pub async fn run(mut self) {
        while !self.is_stopping || !self.sending.is_empty() {
            let now = Instant::now();
            if self.wants_turn(now) {
                self.turn().await;
            }
            self.begin();
            self.wait().await;
        }
        self.give_back();
        self.turn().await;
        self.delivery.transport.rest(Duration::ZERO).await;
    }

    fn wants_turn(&self, now: Instant) -> bool {
        now >= self.next_turn && (!self.settled.is_empty() || (self.may_find && self.room(now) > 0))
    }

    /// How many mails may be taken now. While the mail server is away, one after each pause to see whether it
    /// is back.
    fn room(&self, now: Instant) -> usize {
        let held = self.ready.len() + self.sending.len();
        match self.backoff.is_over(now) {
            _ if self.is_stopping => 0,
            None => self.limits.ahead().saturating_sub(held),
            Some(true) => 1_usize.saturating_sub(held),
            Some(false) => 0,
        }
    }

    /// One transaction: writes down what has become of mails, and takes more.
    async fn turn(&mut self) {
        let (now, clock) = (Instant::now(), Utc::now().naive_utc());
        if self.settled.is_empty() && !self.is_anything_due().await {
            (self.may_find, self.next_turn) = (false, now + TURN_EVERY);
            return;
        }
        let room = self.room(now);
        let settled = mem::take(&mut self.settled);
        let to_write = settled.clone();
        let lease = clock + time_delta(self.limits.lease());
        let overdue = clock - time_delta(self.limits.gives_up_after);
        let trouble = self.backoff.trouble().map(str::to_owned);
        let turn = self.db.write(move |db| {
            outbox::store::settle(db, &to_write, clock)?;
            let taken = (room > 0).then(|| store::take(db, room, clock, lease)).transpose()?;
            if let Some(trouble) = trouble {
                outbox::store::give_up(db, overdue, clock, &trouble)?;
            }
            Ok(taken)
        });
        self.next_turn = now + TURN_EVERY;
        match turn.await {
            Ok(taken) => {
                if let Some(taken) = taken {
                    self.may_find = !taken.is_all;
                    self.ready.extend(taken.mails);
                }
                self.database_is_well = true;
            }
            Err(error) => {
                // What was sent is sent: it is written down when the database is back.
                self.settled.extend(settled);
                self.next_turn = now + LOOK_EVERY;
                if mem::take(&mut self.database_is_well) {
                    log::warn!("no mail goes out until the database is back: {error}");
                }
            }
        }
    }

    /// Looked at before a turn is taken for it: on SQLite the desk would wait behind a turn for nothing.
    async fn is_anything_due(&self) -> bool {
        let clock = Utc::now().naive_utc();
        // When that cannot be read, the turn says why.
        self.db.read_primary(move |db| outbox::store::is_anything_due(db, clock)).await.unwrap_or(true)
    }

    /// Begins what is ready, as fast as the limits allow.
    fn begin(&mut self) {
        let now = Instant::now();
        let gap = Duration::from_secs(1) / self.limits.per_second;
        while self.sending.len() < self.limits.connections && now >= self.next_start && !self.is_stopping {
            let Some(due) = self.ready.pop_front() else { return };
            let whole = Utc::now().naive_utc() + time_delta(self.limits.timeout);
            if due.mail.due_at < whole {
                // It has waited for so long that another might take it in the middle.
                self.settled.push(released(&due));
                continue;
            }
            // A timer that came late is made up for, but no more than a turn's worth.
            self.next_start = self.next_start.max(now - TURN_EVERY) + gap;
            let delivery = Rc::clone(&self.delivery);
            self.sending.push(Box::pin(async move { delivery.deliver(due).await }));
        }
    }

    /// Until there is something to do.
    async fn wait(&mut self) {
        let now = Instant::now();
        if now >= self.next_look {
            (self.may_find, self.next_look) = (true, now + LOOK_EVERY);
            self.delivery.transport.rest(REST_AFTER).await;
            return;
        }
        let wakes_at = self.wakes_at(now);
        tokio::select! {
            Some(report) = self.sending.next(), if !self.sending.is_empty() => self.note(report),
            () = self.wakeup.notified(), if !self.may_find => self.may_find = true,
            () = self.stop.0.notified(), if !self.is_stopping => self.is_stopping = true,
            () = sleep_until(wakes_at) => {}
        }
    }

    fn wakes_at(&self, now: Instant) -> Instant {
        let has_slot = self.sending.len() < self.limits.connections && !self.is_stopping;
        let start = (has_slot && !self.ready.is_empty()).then_some(self.next_start);
        let wants = !self.settled.is_empty() || (self.may_find && self.room(now) > 0);
        let turn = wants.then_some(self.next_turn);
        let pause = self.backoff.until().filter(|until| self.may_find && *until > now);
        [start, turn, pause].into_iter().flatten().fold(self.next_look, Instant::min)
    }

    fn note(&mut self, report: DeliveryReport) {
        if let Verdict::Again(due_at, _) = &report.settlement.verdict {
            let wait = (*due_at - Utc::now().naive_utc()).to_std().unwrap_or_default();
            self.next_look = self.next_look.min(Instant::now() + wait);
        }
        self.settled.push(report.settlement);
        match report.server {
            None => {}
            Some(Ok(())) => self.backoff.reset(),
            Some(Err(trouble)) => {
                self.backoff.lose(Instant::now(), trouble);
                self.give_back();
                self.may_find = true;
            }
        }
    }

    /// What is ready and not begun is anybody's again.
    fn give_back(&mut self) {
        self.settled.extend(self.ready.drain(..).map(|due| released(&due)));
    }
}

fn released(due: &DueMail) -> Settlement {
    Settlement { id: due.mail.id, lease: due.mail.due_at, verdict: Verdict::Released }
}

fn time_delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
