//! Where mails go, as the settings say: to a mail server or into a folder.

use std::path::{Path, PathBuf};

use super::smtp_url::SmtpUrl;

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
