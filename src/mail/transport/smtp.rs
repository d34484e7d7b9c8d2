//! A mail server (RFC 5321). The commands of a mail are sent one by one, because what an error means depends on the
//! command: the address, the content, or this client may be refused.
//!
//! Connections are reused, but not after an error in the middle of a mail: the next mail must not read the last
//! one's reply.

use std::time::{Duration, Instant};

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::reply::{Refusal, Step, judge};
use super::send_error::SendError;
use super::smtp_url::{Encryption, SmtpUrl};
use crate::log_safe::one_line;
use crate::mail::messages::Envelope;
use crate::start_error::StartError;

/// How long connecting and signing in may take.
const CONNECT_WAIT: Duration = Duration::from_secs(15);
/// How long closing a connection may take.
const QUIT_WAIT: Duration = Duration::from_secs(2);

/// A mail server, and the idle connections to it.
pub struct Smtp {
    url: SmtpUrl,
    hello: ClientId,
    tls: Option<TlsParameters>,
    /// How long one mail may take.
    wait: Duration,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

/// What went wrong, and in what state it left the connection.
enum ConversationError {
    /// Nothing was sent yet: the server may have closed an idle connection.
    BeforeMail(SendError),
    /// The server has replied and waits for the next command.
    Answered(SendError),
    /// The next reply may belong to anything.
    Broken(SendError),
}

impl Smtp {
    /// Does not connect yet.
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
        Ok(Self { url, hello: ClientId::Domain(hello.to_owned()), tls, wait, idle: Mutex::default() })
    }

    /// As [`super::Transport::send`].
    pub async fn send(&self, envelope: &Envelope) -> Result<(), SendError> {
        let seconds = self.wait.as_secs();
        let too_long = || SendError::TryLater(format!("{} did not answer within {seconds} s", self.url));
        timeout(self.wait, self.converse(envelope)).await.unwrap_or_else(|_| Err(too_long()))
    }

    async fn converse(&self, envelope: &Envelope) -> Result<(), SendError> {
        // An early return or the timeout drops the connection.
        let idle = self.idle.lock().pop();
        if let Some((connection, _)) = idle {
            match self.attempt(connection, envelope).await {
                Err(ConversationError::BeforeMail(_)) => {}
                result => return without_state(result),
            }
        }
        without_state(self.attempt(self.connect().await?, envelope).await)
    }

    /// Sends one mail on one connection, and keeps the connection unless it is broken.
    async fn attempt(
        &self,
        mut connection: AsyncSmtpConnection,
        envelope: &Envelope,
    ) -> Result<(), ConversationError> {
        let result = send_commands(&mut connection, envelope).await;
        let is_whole = match &result {
            Ok(()) => true,
            // Discards the mail that was refused.
            Err(ConversationError::Answered(_)) => connection.command("RSET\r\n").await.is_ok(),
            Err(_) => false,
        };
        if is_whole {
            self.idle.lock().push((connection, Instant::now()));
        }
        result
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let unavailable = |what: &str| SendError::Unavailable(format!("{}: {what}", self.url));
        match timeout(CONNECT_WAIT.min(self.wait), self.open()).await {
            Ok(opened) => opened.map_err(|e| unavailable(&reply(&e))),
            Err(_) => Err(unavailable("does not answer")),
        }
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, Error> {
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

    /// As [`super::Transport::close_idle`].
    pub async fn close_idle(&self, idle: Duration) {
        let expired: Vec<_> = self.idle.lock().extract_if(.., |(_, since)| since.elapsed() >= idle).collect();
        for (mut connection, _) in expired {
            // Dropping the connection closes it anyway.
            drop(timeout(QUIT_WAIT, connection.quit()).await);
        }
    }
}

fn without_state(result: Result<(), ConversationError>) -> Result<(), SendError> {
    result.map_err(|failure| match failure {
        ConversationError::BeforeMail(error)
        | ConversationError::Answered(error)
        | ConversationError::Broken(error) => error,
    })
}

async fn send_commands(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
) -> Result<(), ConversationError> {
    let mut parameters = Vec::new();
    let addresses = envelope.route.to().iter().chain(envelope.route.from());
    if !addresses.into_iter().all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let why = "the mail server does not support addresses with non-English letters (SMTPUTF8)";
            return Err(ConversationError::Answered(SendError::Rejected(why.into())));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let sender = envelope.route.from().cloned();
    let refused = |step| move |error: Error| refused(step, &error);
    connection.command(Mail::new(sender, parameters)).await.map_err(refused(Step::Sender))?;
    for recipient in envelope.route.to() {
        let recipient = Rcpt::new(recipient.clone(), Vec::new());
        connection.command(recipient).await.map_err(refused(Step::Recipient))?;
    }
    connection.command(Data).await.map_err(refused(Step::Content))?;
    connection.message(&envelope.bytes).await.map_err(refused(Step::Content))?;
    Ok(())
}

/// The server's reply, which mail administrators know: `550 5.1.1 no such user`.
fn reply(error: &Error) -> String {
    match (error.status(), std::error::Error::source(error)) {
        (Some(code), Some(said)) => one_line(&format_args!("{code} {said}")),
        _ => one_line(error),
    }
}

/// What a refused command means for the mail and for the connection.
fn refused(step: Step, error: &Error) -> ConversationError {
    let why = reply(error);
    let Some(code) = error.status().map(u16::from) else {
        // The server may have closed an idle connection before the mail began.
        return match step {
            Step::Sender => ConversationError::BeforeMail(SendError::Unavailable(why)),
            _ => ConversationError::Broken(SendError::TryLater(why)),
        };
    };
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let error = match judge(step, code, &text) {
        Refusal::Mail => SendError::Rejected(why),
        Refusal::MailForNow => SendError::TryLater(why),
        Refusal::Site => SendError::Unavailable(why),
    };
    // RFC 5321, 3.8: the server closes the connection.
    match (code, step) {
        (421, Step::Sender) => ConversationError::BeforeMail(error),
        (421, _) => ConversationError::Broken(error),
        _ => ConversationError::Answered(error),
    }
}
