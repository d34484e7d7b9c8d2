//! Where mails are handed on: to a mail server, or, without one, into a folder.

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

/// Hands mails on.
pub enum Transport {
    Server(Smtp),
    Folder(Folder),
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// This mail, for good: the address does not exist, or nobody wants what it says.
    Mail(String),
    /// This mail, for now.
    ForNow(String),
    /// All mails, for now: nobody answers, or nobody lets us in. It is nothing about this one.
    Everything(String),
}

impl Transport {
    /// Where the settings say. `hello` is the name that this server introduces itself by.
    ///
    /// # Errors
    /// One line when the folder cannot be written to, or the system's certificates cannot be read.
    pub fn open(config: &MailConfig, hello: &str) -> Result<Self, StartError> {
        match &config.destination {
            Destination::Server(url) => {
                log::info!("mails are handed to {url}");
                Smtp::new(url.clone(), hello, config.limits.timeout).map(Self::Server)
            }
            Destination::Folder(path) => {
                log::info!("SMTP_URL is not set: mails are written into {}", path.display());
                Folder::open(path).map(Self::Folder)
            }
        }
    }

    /// Hands a mail on: when this returns it is the other side's. Takes no longer than the setting says.
    ///
    /// # Errors
    /// [`SendError`]. When the connection was lost in the middle, the other side may have it all the same.
    pub async fn send(&self, envelope: Envelope) -> Result<(), SendError> {
        match self {
            Self::Server(smtp) => smtp.send(&envelope).await,
            Self::Folder(folder) => folder.send(envelope).await,
        }
    }

    /// Hangs up on connections that have not been used for that long.
    pub async fn rest(&self, idle: Duration) {
        if let Self::Server(smtp) = self {
            smtp.rest(idle).await;
        }
    }
}
