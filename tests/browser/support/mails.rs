//! The shop's mails: without a mail server it writes them into a folder.

use std::fs;
use std::time::{Duration, Instant};

use mail_parser::{Address, MessageParser};

use super::Site;

/// The outbox looks for mails several times a second, so this is plenty.
const SENT_WITHIN: Duration = Duration::from_secs(60);

/// A mail as its reader sees it: decoded.
pub struct ReadMail {
    pub to: String,
    pub text: String,
}

impl ReadMail {
    /// The first link in the text that starts with `start`.
    pub fn link(&self, start: &str) -> String {
        let from = self.text.find(start).unwrap_or_else(|| panic!("no {start} in {}", self.text));
        self.text[from..].split_whitespace().next().unwrap_or_default().to_owned()
    }
}

impl Site {
    /// All mails whose subject starts with this text.
    pub fn mails(&self, subject: &str) -> Vec<ReadMail> {
        let files = fs::read_dir(self.folder().join("mail")).into_iter().flatten().flatten();
        let files = files.map(|file| file.path()).filter(|path| path.extension() == Some("eml".as_ref()));
        let mut found = Vec::new();
        for file in files {
            let bytes = fs::read(file).expect("a mail");
            let mail = MessageParser::default().parse(&bytes).expect("a mail");
            if !mail.subject().is_some_and(|it| it.starts_with(subject)) {
                continue;
            }
            let to = mail.to().and_then(Address::first).and_then(|to| to.address()).unwrap_or_default();
            let text = mail.body_text(0).unwrap_or_default();
            found.push(ReadMail { to: to.to_owned(), text: text.into_owned() });
        }
        found
    }

    /// Waits for a mail whose subject starts with this text.
    pub async fn mail(&self, subject: &str) -> ReadMail {
        let begun = Instant::now();
        loop {
            if let Some(mail) = self.mails(subject).pop() {
                return mail;
            }
            assert!(begun.elapsed() < SENT_WITHIN, "no mail says {subject:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
