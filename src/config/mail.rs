//! The settings of mail.

use std::path::{Path, PathBuf};

use clap::Args;
use lettre::message::Mailbox;

use super::parse_number;
use crate::db::DatabaseUrl;
use crate::guard::limits::Rate;
use crate::mail::sender::MailLimits;
use crate::mail::service::MailConfig;
use crate::mail::transport::{Destination, SmtpUrl};
use crate::start_error::StartError;

/// Not `Debug`: the URL holds a password.
#[derive(Args)]
pub struct MailSettings {
    /// The mail server, smtp://USER:PASSWORD@HOST:587 (STARTTLS) or smtps://USER:PASSWORD@HOST:465 [default: none,
    /// mails are written to MAIL_DIR, which must be set then if PUBLIC_URL is https]
    #[arg(long, env = "SMTP_URL", global = true, hide_env_values = true)]
    smtp_url: Option<String>,

    /// The sender, as `Name <address>` [default without SMTP_URL: tickets@ and the host of PUBLIC_URL]
    #[arg(long, env = "MAIL_FROM", global = true)]
    mail_from: Option<String>,

    /// The folder for mails while SMTP_URL is not set [default: mail, beside the SQLite file or in the working
    /// folder]
    #[arg(long, env = "MAIL_DIR", global = true)]
    mail_dir: Option<PathBuf>,

    /// Most mails per second from each server
    #[arg(long, env = "MAIL_PER_SECOND", global = true, default_value = "50")]
    mail_per_second: String,
}

impl MailSettings {
    /// `is_limited`: whether rates are limited at all. A site with https sells to the public, whose tickets must not
    /// pile up in a folder that nobody knows of.
    pub(super) fn parse(
        &self,
        database: &DatabaseUrl,
        is_limited: bool,
        public_url: Option<&str>,
    ) -> Result<MailConfig, StartError> {
        let from = self.mail_from.as_deref().filter(|from| !from.is_empty()).map(parse_from).transpose()?;
        let destination = match self.smtp_url.as_deref().filter(|url| !url.is_empty()) {
            Some(url) => Destination::Server(SmtpUrl::parse(url)?),
            None if self.mail_dir().is_none()
                && public_url.is_some_and(|url| url.starts_with("https://")) =>
            {
                let hint = "set it, or MAIL_DIR if another program sends the files in that folder";
                let wrong = "missing, but PUBLIC_URL is https: buyers would get no tickets";
                return Err(StartError::setting("SMTP_URL", "", wrong, hint));
            }
            None => Destination::Folder(self.folder(database)),
        };
        if matches!(destination, Destination::Server(_)) && from.is_none() {
            let hint = "set it as `Box Office <tickets@example.org>`";
            return Err(StartError::setting("MAIL_FROM", "", "missing, but SMTP_URL is set", hint));
        }
        let limits = MailLimits {
            per_second: parse_number("MAIL_PER_SECOND", &self.mail_per_second, 1, 10_000)?,
            per_recipient: is_limited.then_some(Rate::MAILS),
            ..MailLimits::default()
        };
        Ok(MailConfig { destination, from, limits })
    }

    fn folder(&self, database: &DatabaseUrl) -> PathBuf {
        let beside = database.file().and_then(Path::parent).unwrap_or(Path::new("")).join("mail");
        self.mail_dir().map_or(beside, Path::to_owned)
    }

    fn mail_dir(&self) -> Option<&Path> {
        self.mail_dir.as_deref().filter(|folder| !folder.as_os_str().is_empty())
    }
}

fn parse_from(value: &str) -> Result<Mailbox, StartError> {
    value.parse().map_err(|_| {
        let hint = "write it as `Box Office <tickets@example.org>`";
        StartError::setting("MAIL_FROM", value, "not an address", hint)
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::config::{CommandLine, Config};

    fn config(arguments: &[&str]) -> Result<Config, StartError> {
        Config::new(&CommandLine::parse_from([&["techkraft"], arguments].concat()).settings)
    }

    #[test]
    fn a_public_site_keeps_its_bookings_and_sends_its_mails() {
        let of = |arguments: &[&str]| config(&[arguments, &["--mail-dir", "mail"]].concat()).expect("valid");
        assert!(of(&[]).allow_reseed && of(&["--allow-reseed", ""]).allow_reseed);
        for url in ["http://tickets.example.org", "https://tickets.example.org"] {
            assert!(!of(&["--public-url", url]).allow_reseed, "{url}");
            assert!(of(&["--public-url", url, "--allow-reseed", "true"]).allow_reseed, "{url}");
        }

        let https = ["--public-url", "https://tickets.example.org"];
        let without = config(&https).expect_err("mails would go nowhere").to_string();
        assert!(without.starts_with("SMTP_URL=: missing, but PUBLIC_URL is https"), "{without}");
        assert!(config(&[&https[..], &["--mail-dir", "out"]].concat()).is_ok());
        let server = ["--smtp-url", "smtps://mail.example.org", "--mail-from", "a@example.org"];
        assert!(config(&[&https[..], &server].concat()).is_ok());
        assert!(config(&["--public-url", "http://localhost:3000"]).is_ok());
    }
}
