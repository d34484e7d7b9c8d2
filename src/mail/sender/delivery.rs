//! Sends one mail: writes it, encodes it, hands it to the transport, and decides what becomes of it.

use std::sync::Arc;

use actix_web::web;
use chrono::Utc;

use super::backoff::wait_after;
use super::{MailLimits, time_delta};
use crate::mail::DueMail;
use crate::mail::messages::{self, ComposeError, Envelope, MessageContext};
use crate::mail::transport::{SendError, Transport};
use crate::outbox::{Settlement, Verdict};

pub struct Delivery {
    pub context: Arc<MessageContext>,
    pub transport: Transport,
    pub limits: MailLimits,
}

/// The result of sending a mail.
pub struct DeliveryReport {
    pub settlement: Settlement,
    /// Whether the transport is available; `None` when the mail did not get that far.
    pub server: Option<Result<(), String>>,
}

impl Delivery {
    /// Sends a mail. Errors are in the report.
    pub async fn deliver(&self, due: DueMail) -> DeliveryReport {
        let due = Arc::new(due);
        let (verdict, server) = match self.write(&due).await {
            Ok(envelope) => self.send(&due, envelope).await,
            Err(verdict) => (verdict, None),
        };
        log_verdict(&due, &verdict);
        DeliveryReport { settlement: Settlement { id: due.mail.id, lease: due.mail.due_at, verdict }, server }
    }

    /// On the blocking pool: a mail with ten tickets has ten images.
    async fn write(&self, due: &Arc<DueMail>) -> Result<Envelope, Verdict> {
        let (owned, context) = (Arc::clone(due), Arc::clone(&self.context));
        let written = web::block(move || {
            let message = messages::write(&owned, &context)?;
            let message_id = owned.message_id();
            messages::seal(message, owned.recipient(), &context, &message_id, owned.mail.queued_at)
                .map_err(ComposeError::Failed)
        });
        match written.await {
            Ok(written) => written.map_err(|error| match error {
                ComposeError::Dropped(why) => Verdict::Dropped(why),
                ComposeError::Failed(why) => Verdict::Failed(why),
            }),
            Err(broken) => Err(self.again(due, broken.to_string())),
        }
    }

    async fn send(&self, due: &DueMail, envelope: Envelope) -> (Verdict, Option<Result<(), String>>) {
        match self.transport.send(envelope).await {
            Ok(()) => (Verdict::Sent, Some(Ok(()))),
            Err(SendError::Rejected(why)) => (Verdict::Failed(why), Some(Ok(()))),
            Err(SendError::TryLater(why)) => (self.again(due, why), Some(Ok(()))),
            Err(SendError::Unavailable(why)) => (self.again(due, why.clone()), Some(Err(why))),
        }
    }

    fn again(&self, due: &DueMail, why: String) -> Verdict {
        let now = Utc::now().naive_utc();
        if now - due.mail.queued_at >= time_delta(self.limits.gives_up_after) {
            return Verdict::Failed(why);
        }
        Verdict::Again(now + time_delta(wait_after(due.mail.attempts, self.limits.retry_first)), why)
    }
}

/// The log names no recipient, even when the server's reply does.
fn log_verdict(due: &DueMail, verdict: &Verdict) {
    let (id, kind) = (due.mail.id, &due.mail.kind);
    let hidden = |why: &str| why.replace(due.recipient(), "(recipient)");
    match verdict {
        Verdict::Sent => log::debug!("mail {id} ({kind}): sent"),
        Verdict::Dropped(why) => log::info!("mail {id} ({kind}): skipped: {}", hidden(why)),
        Verdict::Failed(why) => log::warn!("mail {id} ({kind}): failed: {}", hidden(why)),
        Verdict::Again(_, why) => log::info!("mail {id} ({kind}): will be retried: {}", hidden(why)),
        Verdict::Released => {}
    }
}
