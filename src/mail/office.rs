//! The mail of a running server: its bell, and its sender.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use tokio::time::timeout;
use url::{Host, Url};

use super::bell::Bell;
use super::letters::{self, Stationery};
use super::post::Post;
use super::sender::{Sender, StopSign};
use crate::booking::lookup::link::BookingLinks;
use crate::config::MailConfig;
use crate::connections::SHUTDOWN_SECONDS;
use crate::db::Database;
use crate::error::StartError;
use crate::guard::secret::Secrets;
use crate::tickets::code::TicketCodes;

pub struct MailOffice {
    pub bell: Arc<Bell>,
    pub sender: SenderHandle,
}

/// A sender at work.
pub struct SenderHandle {
    stop: StopSign,
    task: JoinHandle<()>,
}

impl SenderHandle {
    /// What ends it, for whoever hears that the program is to stop.
    #[must_use]
    pub fn stop_sign(&self) -> StopSign {
        self.stop.clone()
    }

    /// Ends it, and waits for what it has begun, though no longer than a stopping server does for its
    /// requests: a mail server that hangs is no reason to stay. What is cut off is sent again by whoever
    /// comes after.
    pub async fn end(self) {
        self.stop.raise();
        if timeout(Duration::from_secs(SHUTDOWN_SECONDS), self.task).await.is_err() {
            log::warn!("stopped in the middle of a mail: it will be sent again");
        }
    }
}

/// Starts the sender, on the runtime that this is called in.
///
/// # Errors
/// As [`Post::open`].
pub fn open(
    config: &MailConfig,
    db: &Database,
    public_url: &str,
    secrets: &Secrets,
) -> Result<MailOffice, StartError> {
    let from = config.from.clone().unwrap_or_else(|| letters::default_from(public_url));
    let post = Post::open(config, &hello(public_url, from.email.domain()))?;
    let stationery = Stationery {
        from,
        public_url: public_url.to_owned(),
        ticket_codes: TicketCodes::new(secrets),
        booking_links: BookingLinks::new(secrets),
    };
    let (bell, stop) = (Arc::<Bell>::default(), StopSign::default());
    let sender = Sender::new(db.clone(), config.limits, stationery, post, Arc::clone(&bell), stop.clone());
    let task = actix_web::rt::spawn(sender.run());
    Ok(MailOffice { bell, sender: SenderHandle { stop, task } })
}

/// The name that mail servers are greeted with: the site's, or where that is no name, that of its mail.
fn hello(public_url: &str, mail_domain: &str) -> String {
    match Url::parse(public_url).ok().and_then(|url| url.host().map(|host| host.to_owned())) {
        Some(Host::Domain(name)) => name,
        _ => mail_domain.to_owned(),
    }
}
