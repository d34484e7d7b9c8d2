//! Sends one mail: writes it, encodes it, hands it to the transport, and decides what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use chrono::Utc;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::backoff::wait_after;
use super::doubts::Doubts;
use super::limits::{MailLimits, time_delta};
use super::recipients::RecipientLimit;
use crate::db::Database;
use crate::log_safe::mail_failure;
use crate::mail::DueMail;
use crate::mail::messages::digest::{self, may_join};
use crate::mail::messages::{self, ComposeError, Envelope, MessageContext};
use crate::mail::store;
use crate::mail::transport::{SendError, Transport};
use crate::outbox::{AttemptOutcome, AttemptResult, MailKind};

/// Why a mail waits, as the organizer reads it.
const TOO_MANY: &str = "too many mails to this address";
/// Most mails that are joined in one.
const JOINED_MAX: usize = 100;

pub struct Delivery {
    pub db: Database,
    pub context: Arc<MessageContext>,
    pub transport: Transport,
    pub limits: MailLimits,
    pub doubts: Mutex<Doubts>,
    /// `None`: there is no limit.
    pub recipients: Option<Arc<RecipientLimit>>,
}

/// The result of sending a mail.
pub struct DeliveryReport {
    pub result: AttemptResult,
    /// The other mails whose news went out in the same mail.
    pub joined: Vec<AttemptResult>,
    pub server: ServerState,
}

/// What a mail has shown about its server.
pub enum ServerState {
    /// It takes mails.
    Accepts,
    /// Nothing: the mail did not get that far, or its own recipient was refused.
    Unknown,
    /// Perhaps it refuses all mails.
    Doubtful(String),
    /// It takes none from us.
    Unavailable(String),
}

impl Delivery {
    /// Sends a mail. Errors are in the report.
    pub async fn deliver(&self, due: DueMail) -> DeliveryReport {
        let due = Arc::new(due);
        let mut joined = Arc::new(Vec::new());
        let (outcome, server) = match self.count(&due) {
            Ok(limit) => {
                let (outcome, server) = match self.join(&due).await {
                    // Another mail carries its news.
                    None => (AttemptOutcome::Released, ServerState::Unknown),
                    Some(others) => {
                        joined = Arc::new(others);
                        match self.write(&due, &joined).await {
                            Ok(envelope) => self.send(&due, envelope).await,
                            Err(outcome) => (outcome, ServerState::Unknown),
                        }
                    }
                };
                if let Some(limit) = limit.filter(|_| outcome != AttemptOutcome::Sent) {
                    limit.give_back(due.recipient());
                }
                (outcome, server)
            }
            Err(outcome) => (outcome, ServerState::Unknown),
        };
        log_outcome(&due, &outcome);
        let result_of = |due: &DueMail, outcome: &AttemptOutcome| AttemptResult {
            id: due.mail.id,
            lease: due.mail.due_at,
            outcome: outcome.clone(),
        };
        // If the mail was not sent, the mails joined with it are tried again.
        let of_joined = match &outcome {
            AttemptOutcome::Sent | AttemptOutcome::Again(..) => outcome.clone(),
            _ => AttemptOutcome::Again(Utc::now().naive_utc(), TOO_MANY.into()),
        };
        let joined = joined.iter().map(|other| result_of(other, &of_joined)).collect();
        DeliveryReport { result: result_of(&due, &outcome), joined, server }
    }

    /// The mails to join with a mail that had to wait: all others that wait for the same recipient. So
    /// nothing is lost when somebody books again and again for an address, and the address does not get more
    /// mails. `None`: this mail was itself joined with another one.
    async fn join(&self, due: &DueMail) -> Option<Vec<DueMail>> {
        if self.recipients.is_none() || due.mail.last_error.as_deref() != Some(TOO_MANY) || !may_join(due) {
            return Some(Vec::new());
        }
        let (asked, lease) = (due.clone(), time_delta(self.limits.lease()));
        let take =
            self.db.write(move |db| store::take_waiting(db, &asked, TOO_MANY, JOINED_MAX - 1, lease)).await;
        match take {
            Ok(taken) => taken.map(|others| others.into_iter().filter(may_join).collect()),
            Err(error) => {
                log::warn!("mail {}: goes out alone, others wait: {error}", due.mail.id);
                Some(Vec::new())
            }
        }
    }

    /// Counts the mail for its recipient, postpones it, or drops it. Some kinds are not counted: the link to
    /// all bookings, because the lookup has a limit of its own, mails that only the organizer sends, and
    /// mails about money that was paid.
    fn count(&self, due: &DueMail) -> Result<Option<&RecipientLimit>, AttemptOutcome> {
        let kind = MailKind::parse(&due.mail.kind);
        // These are sent even to an address that wants no mail: the notice that a booking has a new address,
        // the link or the place that was asked for, and news of money that goes back.
        let is_owed = matches!(
            kind,
            Some(
                MailKind::AddressChange
                    | MailKind::BookingLink
                    | MailKind::QueuePlace
                    | MailKind::LatePayment
                    | MailKind::Refund
            )
        );
        if due.is_suppressed && !is_owed {
            return Err(AttemptOutcome::Dropped("this address wants no emails".into()));
        }
        let limit = self.recipients.as_deref();
        let is_counted = match kind {
            Some(
                MailKind::BookingLink
                | MailKind::EventChange
                | MailKind::Message
                | MailKind::Invitation
                | MailKind::Test
                | MailKind::LatePayment
                | MailKind::Refund,
            ) => false,
            Some(_) | None => true,
        };
        let limit = limit.filter(|_| is_counted);
        let Some(Err(wait)) = limit.map(|limit| limit.take(due.recipient())) else { return Ok(limit) };
        // It never fails for this, however long it waits: it goes out with the others that wait.
        Err(AttemptOutcome::Again(Utc::now().naive_utc() + time_delta(wait), TOO_MANY.into()))
    }

    /// On the blocking pool: a mail with ten tickets has ten images.
    async fn write(
        &self,
        due: &Arc<DueMail>,
        joined: &Arc<Vec<DueMail>>,
    ) -> Result<Envelope, AttemptOutcome> {
        let (owned, joined, context) = (Arc::clone(due), Arc::clone(joined), Arc::clone(&self.context));
        let written = web::block(move || {
            let message = if joined.is_empty() {
                messages::write(&owned, &context)?
            } else {
                let all: Vec<&DueMail> = std::iter::once(&*owned).chain(joined.iter()).collect();
                digest::write(&all, &context)?
            };
            let message_id = owned.message_id();
            messages::seal(message, owned.recipient(), &context, &message_id, owned.mail.queued_at)
                .map_err(ComposeError::Failed)
        });
        match written.await {
            Ok(written) => written.map_err(|error| match error {
                ComposeError::Dropped(why) => AttemptOutcome::Dropped(why),
                ComposeError::Failed(why) => AttemptOutcome::Failed(why),
            }),
            Err(broken) => Err(self.again(due, self.limits.gives_up_after, broken.to_string())),
        }
    }

    async fn send(&self, due: &DueMail, envelope: Envelope) -> (AttemptOutcome, ServerState) {
        let result = self.transport.send(envelope).await;
        let (id, now) = (due.mail.id, Instant::now());
        // The server and the organizer may need days.
        let long = self.limits.gives_up_on_server_after();
        let concerns_it_alone = || self.doubts.lock().refused(id, now);
        match result {
            Ok(()) => {
                self.doubts.lock().accepted(id, now);
                (AttemptOutcome::Sent, ServerState::Accepts)
            }
            Err(SendError::Rejected(why)) => (AttemptOutcome::Failed(why), ServerState::Unknown),
            Err(SendError::TryLater(why)) => {
                (self.again(due, self.limits.gives_up_after, why), ServerState::Unknown)
            }
            Err(SendError::Doubtful(why)) if concerns_it_alone() => {
                (AttemptOutcome::Failed(why), ServerState::Unknown)
            }
            Err(SendError::Doubtful(why)) => (self.again(due, long, why.clone()), ServerState::Doubtful(why)),
            Err(SendError::Blocked(why)) if concerns_it_alone() => {
                (self.again(due, long, why), ServerState::Unknown)
            }
            Err(SendError::Blocked(why) | SendError::Unavailable(why)) => {
                (self.again(due, long, why.clone()), ServerState::Unavailable(why))
            }
        }
    }

    fn again(&self, due: &DueMail, gives_up_after: Duration, why: String) -> AttemptOutcome {
        let now = Utc::now().naive_utc();
        if now - due.mail.queued_at >= time_delta(gives_up_after) {
            return AttemptOutcome::Failed(why);
        }
        AttemptOutcome::Again(now + time_delta(wait_after(due.mail.attempts, self.limits.retry_first)), why)
    }
}

/// The log names no recipient, even when the server's reply does.
fn log_outcome(due: &DueMail, outcome: &AttemptOutcome) {
    let (id, kind) = (due.mail.id, &due.mail.kind);
    match outcome {
        AttemptOutcome::Sent => log::debug!("mail {id} ({kind}): sent"),
        AttemptOutcome::Dropped(why) => log::info!("mail {id} ({kind}): skipped: {}", mail_failure(why)),
        AttemptOutcome::Failed(why) => log::warn!("mail {id} ({kind}): failed: {}", mail_failure(why)),
        AttemptOutcome::Again(_, why) => {
            log::info!("mail {id} ({kind}): will be retried: {}", mail_failure(why))
        }
        AttemptOutcome::Released => {}
    }
}
