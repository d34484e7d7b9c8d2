//! The worker of payments: takes what is due from the database, asks Stripe, and keeps the answers, for as long as the
//! server runs. Every server with a key has one; they share the work and the pace.
//!
//! Modeled on the sender of mails. A taken row is due again when its lease ends, so a server that dies leaves nothing.
//!
//! Stripe's API does not belong here: see `payment::stripe`.

mod call;
mod pause;
mod reconciling;
mod refunds;
mod report;
mod room;
mod take;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use actix_web::web;
use chrono::Utc;
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until, timeout};

use self::call::{Call, CallKind, make};
use self::pause::Pause;
use self::reconciling::Reconciler;
use self::report::CallReport;
use self::room::CallRoom;
use self::take::{CallSettings, is_anything_due, take};
use super::settings::{AccountAnswer, AccountProbe, Payments, StripeConfig};
use super::stripe::StripeClient;
use super::stripe::failure::StripeFailure;
use crate::booking::desk::Desk;
use crate::booking::release::announce;
use crate::connections::SHUTDOWN_SECONDS;
use crate::db::Database;
use crate::error::Error;
use crate::events::board::Board;
use crate::outbox::wakeup::Wakeup;
use crate::start_error::StartError;

/// The time between two looks without a wakeup. It is short because buyers wait for what was postponed: a
/// call that Stripe refused as one too many, or a second [`ask_soon`](super::store::ask_soon) soon after the first.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The wait before another try when the database did not answer.
const WITHOUT_DATABASE: Duration = Duration::from_secs(5);
/// Between two transactions that take something, while there is work.
const TAKE_EVERY: Duration = Duration::from_millis(250);

/// What the worker works with.
struct WorkerParts {
    db: Database,
    board: Arc<Board>,
    desk: Arc<Desk>,
    /// Of the mails: settling queues confirmations.
    outbox_wakeup: Arc<Wakeup>,
}

/// A running worker.
pub struct WorkerHandle {
    stop: Arc<Wakeup>,
    task: JoinHandle<()>,
}

impl WorkerHandle {
    /// Stops the worker and waits for the calls that it has started, no longer than a stopping server waits for its
    /// requests. What is cut off is asked again later, by the same key.
    pub async fn end(self) {
        self.stop.notify();
        if timeout(Duration::from_secs(SHUTDOWN_SECONDS), self.task).await.is_err() {
            log::warn!("stopped while asking Stripe: it will be asked again");
        }
    }
}

/// Starts the worker on the current runtime. Returns it, and what handlers need to know of it; without an
/// account, neither.
///
/// # Errors
/// When the system's certificates cannot be used.
pub fn open(
    config: Option<&StripeConfig>,
    (db, board, desk): (&Database, &Arc<Board>, &Arc<Desk>),
    outbox_wakeup: &Arc<Wakeup>,
    public_url: &str,
) -> Result<(Option<Payments>, Option<WorkerHandle>), StartError> {
    let Some(config) = config else { return Ok((None, None)) };
    let stripe = Arc::new(StripeClient::new(config)?);
    let (wakeup, stop) = (Arc::<Wakeup>::default(), Arc::<Wakeup>::default());
    let live = config.key.is_live();
    if !live {
        log::warn!("STRIPE_SECRET_KEY is a test key: nobody pays real money");
    }
    let client = Arc::clone(&stripe);
    let parts = WorkerParts {
        db: db.clone(),
        board: Arc::clone(board),
        desk: Arc::clone(desk),
        outbox_wakeup: Arc::clone(outbox_wakeup),
    };
    let worker = PaymentWorker {
        reconciler: Reconciler::new(parts.db.clone(), Arc::clone(&stripe), config),
        stripe,
        parts,
        settings: CallSettings { live, per_second: config.per_second, public_url: public_url.to_owned() },
        wakeup: Arc::clone(&wakeup),
        stop: Arc::clone(&stop),
        calls: FuturesUnordered::new(),
        under_way: Vec::new(),
        pause: Pause::default(),
        may_find: true,
        next_look: Instant::now(),
        next_take: Instant::now(),
        is_stopping: false,
        is_database_available: true,
    };
    let task = actix_web::rt::spawn(worker.run());
    let webhook_secrets = config.webhook_secrets.clone();
    let payments =
        Payments { live, per_second: config.per_second, webhook_secrets, probe: probe(client), wakeup };
    Ok((Some(payments), Some(WorkerHandle { stop, task })))
}

/// For the setup page: whether Stripe knows the key, and lets it read what this program reads.
fn probe(stripe: Arc<StripeClient>) -> AccountProbe {
    Arc::new(move || match stripe.events(Utc::now().timestamp(), None) {
        Ok(_) => AccountAnswer::Accepted,
        Err(StripeFailure::Account(_) | StripeFailure::Forbidden(_) | StripeFailure::Refused(_)) => {
            AccountAnswer::Refused
        }
        Err(_) => AccountAnswer::Silent,
    })
}

type Made = Result<CallReport, Error>;

struct PaymentWorker {
    parts: WorkerParts,
    stripe: Arc<StripeClient>,
    settings: CallSettings,
    reconciler: Reconciler,
    wakeup: Arc<Wakeup>,
    stop: Arc<Wakeup>,
    /// Each takes a thread of the blocking pool, for a third of a second or so, from its turn on.
    calls: FuturesUnordered<LocalBoxFuture<'static, (CallKind, Made)>>,
    /// The kinds of the calls under way.
    under_way: Vec<CallKind>,
    pause: Pause,
    /// Something may be due.
    may_find: bool,
    next_look: Instant,
    next_take: Instant,
    is_stopping: bool,
    is_database_available: bool,
}

impl PaymentWorker {
    /// Runs until it is stopped. Calls that were started are finished.
    async fn run(mut self) {
        while !self.is_stopping || !self.calls.is_empty() {
            let now = Instant::now();
            if self.may_find && now >= self.next_take && self.has_room(now) {
                self.take().await;
            }
            self.wait().await;
        }
    }

    fn room(&self) -> CallRoom {
        CallRoom::at_pace(self.settings.per_second).less(&self.under_way)
    }

    /// The most calls at once, of all kinds together. After a pause, one call finds out whether Stripe
    /// answers.
    fn most(&self, now: Instant) -> usize {
        self.pause.room(now, CallRoom::at_pace(self.settings.per_second).sum())
    }

    /// How many calls under way ask Stripe.
    fn asking(&self) -> usize {
        self.under_way.iter().filter(|it| **it != CallKind::TooLate).count()
    }

    fn has_room(&self, now: Instant) -> bool {
        !self.is_stopping && self.room().sum() > 0 && self.asking() < self.most(now)
    }

    /// Takes what is due, and starts to ask. Before that, it reads whether anything is due: on SQLite the
    /// desk waits for each write transaction.
    async fn take(&mut self) {
        let now = Instant::now();
        self.next_take = now + TAKE_EVERY;
        let (room, only_one) = (self.room(), self.most(now) == 1);
        let (settings, live) = (self.settings.clone(), self.settings.live);
        let taken = match self.parts.db.read_primary(move |db| is_anything_due(db, live)).await {
            Ok(false) => {
                self.may_find = false;
                return;
            }
            // When this fails, the transaction reports why.
            _ => self.parts.db.write(move |db| take(db, room, only_one, &settings)).await,
        };
        match taken {
            Ok(taken) => {
                self.is_database_available = true;
                self.may_find = taken.may_be_more;
                for (turn, call) in taken.calls {
                    self.start(turn, call);
                }
            }
            Err(error) => {
                self.next_take = now + WITHOUT_DATABASE;
                if std::mem::take(&mut self.is_database_available) {
                    log::warn!("database unavailable, payments wait: {error}");
                }
            }
        }
    }

    /// Asks when its turn has come.
    fn start(&mut self, turn: Instant, call: Call) {
        let (db, stripe) = (self.parts.db.clone(), Arc::clone(&self.stripe));
        let (kind, per_second) = (call.kind(), self.settings.per_second);
        self.under_way.push(kind);
        self.calls.push(Box::pin(async move {
            sleep_until(turn).await;
            (
                kind,
                web::block(move || make(&db, &stripe, call, per_second)).await.map_err(Error::from).flatten(),
            )
        }));
    }

    /// Waits until there is work.
    async fn wait(&mut self) {
        let now = Instant::now();
        if now >= self.next_look {
            (self.may_find, self.next_look) = (true, now + LOOK_EVERY);
            if !self.is_stopping && !self.pause.is_begun() {
                self.reconciler.begin_if_due();
            }
            return;
        }
        let wakes_at = self.wakes_at(now);
        tokio::select! {
            Some((kind, made)) = self.calls.next(), if !self.calls.is_empty() => {
                let own = self.under_way.iter().position(|it| *it == kind);
                own.map(|own| self.under_way.swap_remove(own));
                self.keep(made);
            }
            () = self.wakeup.notified(), if !self.may_find => self.may_find = true,
            () = self.stop.notified(), if !self.is_stopping => self.is_stopping = true,
            () = sleep_until(wakes_at) => {}
        }
    }

    fn wakes_at(&self, now: Instant) -> Instant {
        let pause = self.pause.until().filter(|until| self.may_find && *until > now);
        let take = (self.may_find && self.has_room(now)).then_some(self.next_take);
        [take, pause].into_iter().flatten().fold(self.next_look, Instant::min)
    }

    fn keep(&mut self, made: Made) {
        match made {
            Ok(report) => {
                announce(&self.parts.board, &self.parts.desk, &self.parts.outbox_wakeup, &report.stock);
                if report.is_mail_queued {
                    self.parts.outbox_wakeup.notify();
                }
                self.pause.hear(Instant::now(), &report);
                self.may_find = true;
            }
            // Another server was faster, or the concert was canceled meanwhile: nothing of this was written.
            Err(Error::Database(diesel::result::Error::RollbackTransaction)) => self.may_find = true,
            Err(error) => log::warn!("an answer of Stripe's was not kept, it will be asked again: {error}"),
        }
    }
}
