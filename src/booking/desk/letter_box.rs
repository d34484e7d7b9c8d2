//! The way back from the desk to the buyers' handlers.
//!
//! Waking a task on another thread costs a system call. A batch answers hundreds of orders, which wait on
//! as many threads as the server has workers: so each thread has a letter box, the desk puts one bundle
//! into each, and the thread hands the answers round by itself.

use std::cell::RefCell;

use tokio::sync::{mpsc, oneshot};

use crate::booking::Outcome;
use crate::error::Error;

/// An answer, and who waits for it.
pub(super) struct Letter {
    pub(super) to: oneshot::Sender<Result<Outcome, Error>>,
    pub(super) answer: Result<Outcome, Error>,
}

/// Where the answers for one thread go.
#[derive(Clone)]
pub(super) struct LetterBox(mpsc::UnboundedSender<Vec<Letter>>);

thread_local! {
    static LETTER_BOX: RefCell<Option<LetterBox>> = const { RefCell::new(None) };
}

impl LetterBox {
    /// The letter box of the calling thread, which must be running tasks.
    pub(super) fn of_this_thread() -> Self {
        LETTER_BOX.with_borrow_mut(|known| match known {
            // Closed when the thread has ended one runtime and begun another.
            Some(letter_box) if !letter_box.0.is_closed() => letter_box.clone(),
            _ => known.insert(Self::open()).clone(),
        })
    }

    fn open() -> Self {
        let (sender, mut bundles) = mpsc::unbounded_channel::<Vec<Letter>>();
        tokio::spawn(async move {
            while let Some(bundle) = bundles.recv().await {
                bundle.into_iter().for_each(Letter::deliver);
            }
        });
        Self(sender)
    }
}

impl Letter {
    fn deliver(self) {
        // A buyer who has left meanwhile finds the booking by sending the same form again.
        drop(self.to.send(self.answer));
    }
}

/// Letters, sorted by where they go.
#[derive(Default)]
pub(super) struct Mail {
    bundles: Vec<(LetterBox, Vec<Letter>)>,
}

impl Mail {
    pub(super) fn add(&mut self, letter_box: LetterBox, letter: Letter) {
        match self.bundles.iter_mut().find(|(known, _)| known.0.same_channel(&letter_box.0)) {
            Some((_, bundle)) => bundle.push(letter),
            None => self.bundles.push((letter_box, vec![letter])),
        }
    }

    pub(super) fn send(self) {
        for (letter_box, bundle) in self.bundles {
            if let Err(mpsc::error::SendError(bundle)) = letter_box.0.send(bundle) {
                bundle.into_iter().for_each(Letter::deliver);
            }
        }
    }
}
