//! The way of a batch's replies back to the handlers that wait for them.
//!
//! Waking a task on another thread costs a system call. A batch answers hundreds of orders, whose handlers
//! run on as many threads as the server has workers. So each thread has one channel for replies: the desk
//! sends one bundle to each thread, and a task there passes the replies on.

use std::cell::RefCell;

use tokio::sync::{mpsc, oneshot};

use crate::booking::BookingOutcome;
use crate::error::Error;

/// The replies to a batch, one bundle per thread.
#[derive(Default)]
pub(super) struct Replies {
    bundles: Vec<(ReplyThread, Vec<Reply>)>,
}

impl Replies {
    pub(super) fn add(&mut self, thread: ReplyThread, reply: Reply) {
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
pub(super) struct Reply {
    pub(super) to: oneshot::Sender<Result<BookingOutcome, Error>>,
    pub(super) outcome: Result<BookingOutcome, Error>,
}

impl Reply {
    fn deliver(self) {
        // Fails when the buyer has disconnected; sending the same form again finds the booking.
        drop(self.to.send(self.outcome));
    }
}

/// The channel for the replies of one thread.
#[derive(Clone)]
pub(super) struct ReplyThread(mpsc::UnboundedSender<Vec<Reply>>);

thread_local! {
    static REPLY_THREAD: RefCell<Option<ReplyThread>> = const { RefCell::new(None) };
}

impl ReplyThread {
    /// Must be called on a thread that runs tasks.
    pub(super) fn current() -> Self {
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
