//! Sends mails: to a mail server, or, without one, into a folder.
//!
//! When a mail is sent, and when it is tried again, does not belong here: see `mail::sender`.

mod conversation;
mod destination;
mod folder;
mod reply;
mod reply_words;
mod send_error;
mod smtp;
mod smtp_url;

use std::time::Duration;

pub use self::destination::Destination;
use self::folder::Folder;
pub use self::send_error::SendError;
use self::smtp::Smtp;
pub use self::smtp_url::{Encryption, SmtpUrl};
use super::messages::Envelope;
use crate::start_error::StartError;

/// Sends mails.
pub enum Transport {
    Server(Smtp),
    Folder(Folder),
}

impl Transport {
    /// The transport to a destination. `timeout`: for one mail. `hello`: the name for the SMTP greeting.
    ///
    /// # Errors
    /// When the folder cannot be written to, or the system's certificates cannot be read.
    pub fn open(destination: &Destination, timeout: Duration, hello: &str) -> Result<Self, StartError> {
        match destination {
            Destination::Server(url) => {
                log::info!("sending mails through {url}");
                Smtp::new(url.clone(), hello, timeout).map(Self::Server)
            }
            Destination::Folder(path) => {
                log::info!("SMTP_URL is not set: saving mails in {}", path.display());
                Folder::open(path).map(Self::Folder)
            }
        }
    }

    /// Sends a mail, within the time-out.
    ///
    /// # Errors
    /// After a lost connection the server may have the mail all the same.
    pub async fn send(&self, envelope: Envelope) -> Result<(), SendError> {
        match self {
            Self::Server(smtp) => smtp.send(&envelope).await,
            Self::Folder(folder) => folder.send(envelope).await,
        }
    }

    /// Closes connections that have been idle this long.
    pub async fn close_idle(&self, idle: Duration) {
        if let Self::Server(smtp) = self {
            smtp.close_idle(idle).await;
        }
    }
}
