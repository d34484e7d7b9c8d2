//! Starts and stops the sender of a server.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use lettre::message::Mailbox;
use tokio::time::timeout;
use url::{Host, Url};

use super::messages::{self, MessageContext};
use super::sender::{MailLimits, Sender, StopHandle};
use super::suppression::SuppressionLinks;
use super::transport::{Destination, Transport};
use crate::auth::invitation::InvitationSeal;
use crate::booking::lookup::link::BookingLinks;
use crate::connections::SHUTDOWN_SECONDS;
use crate::db::Database;
use crate::guard::secret::Secrets;
use crate::outbox::wakeup::Wakeup;
use crate::queue::place_token::PlaceLinks;
use crate::start_error::StartError;
use crate::tickets::code::TicketCodes;

/// The settings, checked.
#[derive(Debug, Clone)]
pub struct MailConfig {
    pub destination: Destination,
    /// `None`: tickets@ and the site's host.
    pub from: Option<Mailbox>,
    pub limits: MailLimits,
}

/// The parts of a server's mail.
pub struct MailService {
    pub wakeup: Arc<Wakeup>,
    pub sender: SenderHandle,
    /// The address that mails come from.
    pub from: String,
}

/// A running sender.
pub struct SenderHandle {
    stop: StopHandle,
    task: JoinHandle<()>,
}

impl SenderHandle {
    /// A handle that stops the sender, for the code that learns that the server must stop.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Stops the sender and waits for the mails that it has started, no longer than a stopping server waits for its
    /// requests. A mail that is cut off is sent again later.
    pub async fn end(self) {
        self.stop.stop();
        if timeout(Duration::from_secs(SHUTDOWN_SECONDS), self.task).await.is_err() {
            log::warn!("stopped while sending a mail: it will be sent again");
        }
    }
}

/// Starts the sender on the current runtime.
pub fn open(
    config: &MailConfig,
    db: &Database,
    public_url: &str,
    secrets: &Secrets,
) -> Result<MailService, StartError> {
    let from = config.from.clone().unwrap_or_else(|| messages::default_from(public_url));
    let transport =
        Transport::open(&config.destination, config.limits.timeout, &hello(public_url, from.email.domain()))?;
    let sender_address = from.email.to_string();
    let context = MessageContext {
        from,
        public_url: public_url.to_owned(),
        ticket_codes: TicketCodes::new(secrets),
        booking_links: BookingLinks::new(secrets),
        suppression_links: SuppressionLinks::new(secrets),
        place_links: PlaceLinks::new(secrets),
        invitations: InvitationSeal::new(secrets),
    };
    let (wakeup, stop) = (Arc::<Wakeup>::default(), StopHandle::default());
    let sender =
        Sender::new(db.clone(), config.limits, context, transport, Arc::clone(&wakeup), stop.clone());
    let task = actix_web::rt::spawn(sender.run());
    Ok(MailService { wakeup, sender: SenderHandle { stop, task }, from: sender_address })
}

/// The name in the SMTP greeting: the site's host, or, when that is an address, the domain of the sender's address.
fn hello(public_url: &str, mail_domain: &str) -> String {
    match Url::parse(public_url).ok().and_then(|url| url.host().map(|host| host.to_owned())) {
        Some(Host::Domain(name)) => name,
        _ => mail_domain.to_owned(),
    }
}
