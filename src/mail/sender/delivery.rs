//! One mail on its way: written, put into an envelope, handed on; and what is to become of it then.

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

/// How a mail has fared.
pub struct DeliveryReport {
    pub settlement: Settlement,
    /// Whether the other side is there, and what is wrong when it is not; `None` when it was not asked.
    pub server: Option<Result<(), String>>,
}

impl Delivery {
    /// Brings a mail on its way, and never fails: what went wrong stands in the report.
    pub async fn deliver(&self, due: DueMail) -> DeliveryReport {
        let due = Arc::new(due);
        let (verdict, server) = match self.write(&due).await {
            Ok(envelope) => self.send(&due, envelope).await,
            Err(verdict) => (verdict, None),
        };
        log_verdict(&due, &verdict);
        DeliveryReport { settlement: Settlement { id: due.mail.id, lease: due.mail.due_at, verdict }, server }
    }

    /// Off the async threads: a mail of ten tickets has ten pictures.
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
            Err(SendError::Mail(why)) => (Verdict::Failed(why), Some(Ok(()))),
            Err(SendError::ForNow(why)) => (self.again(due, why), Some(Ok(()))),
            Err(SendError::Everything(why)) => (self.again(due, why.clone()), Some(Err(why))),
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

/// The organizer's page says whose mail it is; the log names nobody, and what a server says may.
fn log_verdict(due: &DueMail, verdict: &Verdict) {
    let (id, kind) = (due.mail.id, &due.mail.kind);
    let hidden = |why: &str| why.replace(due.recipient(), "(recipient)");
    match verdict {
        Verdict::Sent => log::debug!("mail {id} ({kind}) is sent"),
        Verdict::Dropped(why) => log::info!("mail {id} ({kind}) is dropped: {}", hidden(why)),
        Verdict::Failed(why) => log::warn!("mail {id} ({kind}) has failed: {}", hidden(why)),
        Verdict::Again(_, why) => log::info!("mail {id} ({kind}) is tried again: {}", hidden(why)),
        Verdict::Released => {}
    }
}
