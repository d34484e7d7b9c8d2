//! Sends mails: to a mail server, or, without one, into a folder.
//!
//! When a mail is sent, and again, does not belong here: see `mail::sender`.

mod folder;
mod smtp;
mod smtp_url;

use std::path::{Path, PathBuf};
use std::time::Duration;

use self::folder::Folder;
use self::smtp::Smtp;
pub use self::smtp_url::{Encryption, SmtpUrl};
use super::MailConfig;
use super::messages::Envelope;
use crate::start_error::StartError;

/// Where mails go.
#[derive(Debug, Clone)]
pub enum Destination {
    Server(SmtpUrl),
    Folder(PathBuf),
}

impl Destination {
    /// The folder, where there is no mail server.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Server(_) => None,
            Self::Folder(path) => Some(path),
        }
    }
}

/// Sends mails.
pub enum Transport {
    Server(Smtp),
    Folder(Folder),
}

/// Why a mail was not accepted. The texts are for the organizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// This mail, permanently: the address does not exist, or the server rejects the content.
    Rejected(String),
    /// This mail, for now.
    TryLater(String),
    /// All mails, for now: the server does not answer, or does not let us in.
    Unavailable(String),
}

impl Transport {
    /// The transport of the settings. `hello`: the name for the SMTP greeting.
    ///
    /// # Errors
    /// When the folder cannot be written to, or the system's certificates cannot be read.
    pub fn open(config: &MailConfig, hello: &str) -> Result<Self, StartError> {
        match &config.destination {
            Destination::Server(url) => {
                log::info!("sending mails through {url}");
                Smtp::new(url.clone(), hello, config.limits.timeout).map(Self::Server)
            }
            Destination::Folder(path) => {
                log::info!("SMTP_URL is not set: saving mails in {}", path.display());
                Folder::open(path).map(Self::Folder)
            }
        }
    }

    /// Sends a mail, within `MAIL_TIMEOUT_SECONDS`.
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
