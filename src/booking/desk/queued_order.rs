//! An order in the queue, and the way its reply goes back.
//!
//! Waking a task on another thread costs a system call. A batch answers hundreds of orders, whose handlers
//! run on as many threads as the server has workers. So each thread has one channel for replies: the desk
//! sends one bundle to each thread, and a task there passes the replies on.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::booking::{BookingOutcome, Order};
use crate::error::Error;

/// An order, its deadline, and where its reply goes.
pub(super) struct QueuedOrder {
    pub(super) order: Arc<Order>,
    deadline: Instant,
    decision: Decision,
    reply_to: oneshot::Sender<Result<BookingOutcome, Error>>,
    thread: ReplyThread,
}

/// Decides who ends an order: the worker by booking it, or the handler by giving up. The first to take it
/// wins, so an order whose buyer was told "busy" is never booked afterward.
#[derive(Clone, Default)]
pub(super) struct Decision(Arc<AtomicBool>);

impl Decision {
    /// Whether the caller is the first.
    pub(super) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

impl QueuedOrder {
    /// Must be called on a thread that runs tasks.
    pub(super) fn new(
        order: Arc<Order>,
        wait_max: Duration,
    ) -> (Self, oneshot::Receiver<Result<BookingOutcome, Error>>) {
        let (reply_to, receiver) = oneshot::channel();
        let deadline = Instant::now() + wait_max;
        let (decision, thread) = (Decision::default(), ReplyThread::current());
        (Self { order, deadline, decision, reply_to, thread }, receiver)
    }

    pub(super) fn decision(&self) -> Decision {
        self.decision.clone()
    }

    /// Whether the worker may book it: its handler still waits, and has not given up.
    pub(super) fn is_wanted(&self) -> bool {
        !self.reply_to.is_closed() && self.decision.take()
    }

    pub(super) fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Adds the reply to those that are sent when the batch is done.
    pub(super) fn reply(self, outcome: Result<BookingOutcome, Error>, replies: &mut Replies) {
        replies.add(self.thread, Reply { to: self.reply_to, outcome });
    }
}

/// The replies to a batch, one bundle per thread.
#[derive(Default)]
pub(super) struct Replies {
    bundles: Vec<(ReplyThread, Vec<Reply>)>,
}

impl Replies {
    fn add(&mut self, thread: ReplyThread, reply: Reply) {
        match self.bundles.iter_mut().find(|(known, _)| known.0.same_channel(&thread.0)) {
            Some((_, bundle)) => bundle.push(reply),
            None => self.bundles.push((thread, vec![reply])),
        }
    }

    pub(super) fn send(self) {
        for (thread, bundle) in self.bundles {
            if let Err(mpsc::error::SendError(bundle)) = thread.0.send(bundle) {
                bundle.into_iter().for_each(Reply::deliver);
            }
        }
    }
}

/// An outcome, and the handler that waits for it.
struct Reply {
    to: oneshot::Sender<Result<BookingOutcome, Error>>,
    outcome: Result<BookingOutcome, Error>,
}

impl Reply {
    fn deliver(self) {
        // Fails when the buyer has disconnected; sending the same form again finds the booking.
        drop(self.to.send(self.outcome));
    }
}

/// The channel for the replies of one thread.
#[derive(Clone)]
struct ReplyThread(mpsc::UnboundedSender<Vec<Reply>>);

thread_local! {
    static REPLY_THREAD: RefCell<Option<ReplyThread>> = const { RefCell::new(None) };
}

impl ReplyThread {
    fn current() -> Self {
        REPLY_THREAD.with_borrow_mut(|known| match known {
            // Closed when the thread has ended one runtime and started another.
            Some(thread) if !thread.0.is_closed() => thread.clone(),
            _ => known.insert(Self::open()).clone(),
        })
    }

    fn open() -> Self {
        let (sender, mut bundles) = mpsc::unbounded_channel::<Vec<Reply>>();
        tokio::spawn(async move {
            while let Some(bundle) = bundles.recv().await {
                bundle.into_iter().for_each(Reply::deliver);
            }
        });
        Self(sender)
    }
}
