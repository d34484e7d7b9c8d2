//! A mail server (RFC 5321). The steps of a mail are taken here one by one, because what a error means
//! depends on what was refused: the address, the words, or us.
//!
//! Connections are used again, but never after something has gone wrong on them half way: the next mail must
//! not read the last one's answer.

use std::time::{Duration, Instant};

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::{Encryption, SendError, SmtpUrl};
use crate::log_safe::one_line;
use crate::mail::messages::Envelope;
use crate::start_error::StartError;

/// How long a server may take to let us in. One that does not answer by then is away.
const CONNECT_WAIT: Duration = Duration::from_secs(15);
/// How long it may take to say goodbye.
const QUIT_WAIT: Duration = Duration::from_secs(2);

/// A mail server, and the connections to it that are free.
pub struct Smtp {
    url: SmtpUrl,
    hello: ClientId,
    tls: Option<TlsParameters>,
    /// How long one mail may take.
    wait: Duration,
    free: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

/// What went wrong, and how far the mail had come.
enum ConversationError {
    /// Not one word was said about it: a connection that was free for long may have been hung up.
    Unheard(SendError),
    /// The server has answered, and waits for the next mail.
    Answered(SendError),
    /// Nobody knows what the server would say next.
    Broken(SendError),
}

impl Smtp {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// When the system's certificates cannot be used.
    pub fn new(url: SmtpUrl, hello: &str, wait: Duration) -> Result<Self, StartError> {
        let tls = match url.encryption {
            Encryption::None => None,
            _ => Some(TlsParameters::new(url.host.clone()).map_err(|e| {
                let hint = "install the system's certificates (ca-certificates)";
                StartError::setting("SMTP_URL", &url.to_string(), &one_line(&e), hint)
            })?),
        };
        Ok(Self { url, hello: ClientId::Domain(hello.to_owned()), tls, wait, free: Mutex::default() })
    }

    /// As [`super::Transport::send`].
    pub async fn send(&self, envelope: &Envelope) -> Result<(), SendError> {
        let seconds = self.wait.as_secs();
        let too_long = || SendError::ForNow(format!("{} did not answer within {seconds} s", self.url));
        timeout(self.wait, self.converse(envelope)).await.unwrap_or_else(|_| Err(too_long()))
    }

    async fn converse(&self, envelope: &Envelope) -> Result<(), SendError> {
        // Whatever breaks off from here on, also the time-out, drops the connection.
        let free = self.free.lock().pop();
        if let Some((connection, _)) = free {
            match self.attempt(connection, envelope).await {
                Err(ConversationError::Unheard(_)) => {}
                result => return told(result),
            }
        }
        told(self.attempt(self.connect().await?, envelope).await)
    }

    /// One mail on one connection, which is free again afterward unless it is broken.
    async fn attempt(
        &self,
        mut connection: AsyncSmtpConnection,
        envelope: &Envelope,
    ) -> Result<(), ConversationError> {
        let result = say(&mut connection, envelope).await;
        let is_whole = match &result {
            Ok(()) => true,
            // A mail that was refused half way is to be forgotten.
            Err(ConversationError::Answered(_)) => connection.command("RSET\r\n").await.is_ok(),
            Err(_) => false,
        };
        if is_whole {
            self.free.lock().push((connection, Instant::now()));
        }
        result
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let away = |what: &str| SendError::Everything(format!("{}: {what}", self.url));
        match timeout(CONNECT_WAIT.min(self.wait), self.enter()).await {
            Ok(entered) => entered.map_err(|e| away(&words(&e))),
            Err(_) => Err(away("does not answer")),
        }
    }

    async fn enter(&self) -> Result<AsyncSmtpConnection, Error> {
        let from_the_start = self.tls.clone().filter(|_| self.url.encryption == Encryption::Tls);
        let server = (self.url.host.as_str(), self.url.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, from_the_start, None).await?;
        if let (Encryption::StartTls, Some(tls)) = (self.url.encryption, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.url.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await?;
        }
        Ok(connection)
    }

    /// As [`super::Transport::rest`].
    pub async fn rest(&self, idle: Duration) {
        let tired: Vec<_> = self.free.lock().extract_if(.., |(_, since)| since.elapsed() >= idle).collect();
        for (mut connection, _) in tired {
            // It hangs up either way.
            drop(timeout(QUIT_WAIT, connection.quit()).await);
        }
    }
}

fn told(result: Result<(), ConversationError>) -> Result<(), SendError> {
    result.map_err(|failure| match failure {
        ConversationError::Unheard(error)
        | ConversationError::Answered(error)
        | ConversationError::Broken(error) => error,
    })
}

async fn say(connection: &mut AsyncSmtpConnection, envelope: &Envelope) -> Result<(), ConversationError> {
    let mut parameters = Vec::new();
    let addresses = envelope.route.to().iter().chain(envelope.route.from());
    if !addresses.into_iter().all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let why = "the mail server takes no addresses in letters other than English ones (SMTPUTF8)";
            return Err(ConversationError::Answered(SendError::Mail(why.into())));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let sender = envelope.route.from().cloned();
    connection.command(Mail::new(sender, parameters)).await.map_err(refused_sender)?;
    for recipient in envelope.route.to() {
        connection.command(Rcpt::new(recipient.clone(), Vec::new())).await.map_err(refused_mail)?;
    }
    connection.command(Data).await.map_err(refused_mail)?;
    connection.message(&envelope.bytes).await.map_err(refused_mail)?;
    Ok(())
}

/// A server's own words, as the organizer's mail department knows them: `550 5.1.1 no such user`.
fn words(error: &Error) -> String {
    match (error.status(), std::error::Error::source(error)) {
        (Some(code), Some(said)) => one_line(&format_args!("{code} {said}")),
        _ => one_line(error),
    }
}

/// Whom mails come from is the same for all of them, and so is what a server thinks of it.
fn refused_sender(error: Error) -> ConversationError {
    let is_hung_up = error.status().is_none_or(|code| u16::from(code) == 421);
    let error = SendError::Everything(words(&error));
    if is_hung_up { ConversationError::Unheard(error) } else { ConversationError::Answered(error) }
}

fn refused_mail(error: Error) -> ConversationError {
    let why = words(&error);
    match error.status().map(u16::from) {
        None => ConversationError::Broken(SendError::ForNow(why)),
        // RFC 5321, 3.8: it is about to close. RFC 4954, 6: it wants us to sign in, or better.
        Some(421) => ConversationError::Broken(SendError::Everything(why)),
        Some(530 | 534 | 535 | 538) => ConversationError::Answered(SendError::Everything(why)),
        Some(code) if code >= 500 => ConversationError::Answered(SendError::Mail(why)),
        Some(_) => ConversationError::Answered(SendError::ForNow(why)),
    }
}
