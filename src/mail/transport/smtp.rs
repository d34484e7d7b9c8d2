//! A mail server (RFC 5321). The commands of a mail are sent one by one, because what an error means depends on the
//! command: the address, the content, or this client may be refused.
//!
//! Connections are reused, except when a reply is missing or unreadable in the middle of a mail: the next
//! mail must not read the last one's reply.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::conversation::{CommandError, Conversation, SmtpReply};
use super::reply::{Refusal, Step, judge};
use super::send_error::SendError;
use super::smtp_url::{Encryption, SmtpUrl};
use crate::log_safe::one_line;
use crate::mail::messages::Envelope;
use crate::outgoing::system_certificates;
use crate::start_error::StartError;

/// How long connecting and signing in may take.
const CONNECT_WAIT: Duration = Duration::from_secs(15);
/// How long closing a connection may take.
const QUIT_WAIT: Duration = Duration::from_secs(2);

/// A mail server, and the idle connections to it.
pub struct Smtp {
    url: SmtpUrl,
    hello: String,
    tls: Option<TlsConnector>,
    /// How long one mail may take.
    wait: Duration,
    idle: Mutex<Vec<(Conversation, Instant)>>,
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
        let tls = (url.encryption != Encryption::None).then(|| connector(&url)).transpose()?;
        Ok(Self { url, hello: hello.to_owned(), tls, wait, idle: Mutex::default() })
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
        mut connection: Conversation,
        envelope: &Envelope,
    ) -> Result<(), ConversationError> {
        let result = send_commands(&mut connection, envelope).await;
        let is_whole = match &result {
            Ok(()) => true,
            // Discards the mail that was refused.
            Err(ConversationError::Answered(_)) => connection.command("RSET").await.is_ok(),
            Err(_) => false,
        };
        if is_whole {
            self.idle.lock().push((connection, Instant::now()));
        }
        result
    }

    async fn connect(&self) -> Result<Conversation, SendError> {
        let unavailable = |what: &str| SendError::Unavailable(format!("{}: {what}", self.url));
        let opening = Conversation::open(&self.url, self.tls.as_ref(), &self.hello);
        match timeout(CONNECT_WAIT.min(self.wait), opening).await {
            Ok(opened) => opened.map_err(|error| unavailable(&error.text())),
            Err(_) => Err(unavailable("does not answer")),
        }
    }

    /// As [`super::Transport::close_idle`].
    pub async fn close_idle(&self, idle: Duration) {
        let expired: Vec<_> = self.idle.lock().extract_if(.., |(_, since)| since.elapsed() >= idle).collect();
        for (mut connection, _) in expired {
            // Dropping the connection closes it anyway.
            drop(timeout(QUIT_WAIT, connection.command("QUIT")).await);
        }
    }
}

/// TLS to a server, which the system's certificates must know.
fn connector(url: &SmtpUrl) -> Result<TlsConnector, StartError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(system_certificates("SMTP_URL", &url.to_string())?);
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.map_err(|error| StartError::new(one_line(&error)))?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

fn without_state(result: Result<(), ConversationError>) -> Result<(), SendError> {
    result.map_err(|failure| match failure {
        ConversationError::BeforeMail(error)
        | ConversationError::Answered(error)
        | ConversationError::Broken(error) => error,
    })
}

async fn send_commands(connection: &mut Conversation, envelope: &Envelope) -> Result<(), ConversationError> {
    let address = |address: &lettre::Address| AsRef::<str>::as_ref(address).to_owned();
    let from = envelope.route.from().map(address).unwrap_or_default();
    let to: Vec<String> = envelope.route.to().iter().map(address).collect();
    let is_international = !from.is_ascii() || !to.iter().all(|it| it.is_ascii());
    if is_international && !connection.offers("SMTPUTF8") {
        let why = "the mail server does not support addresses with non-English letters (SMTPUTF8)";
        return Err(ConversationError::Answered(SendError::Rejected(why.into())));
    }
    let parameter = if is_international { " SMTPUTF8" } else { "" };
    let refused = |step| move |error: CommandError| refused(step, &error);
    let command = format!("MAIL FROM:<{from}>{parameter}");
    connection.command(&command).await.map_err(refused(Step::Sender))?;
    for recipient in to {
        connection.command(&format!("RCPT TO:<{recipient}>")).await.map_err(refused(Step::Recipient))?;
    }
    connection.command("DATA").await.map_err(refused(Step::Content))?;
    connection.message(&envelope.bytes).await.map_err(refused(Step::Content))
}

/// What a refused command means for the mail and for the connection.
fn refused(step: Step, error: &CommandError) -> ConversationError {
    let why = error.text();
    let CommandError::Refused(SmtpReply { code, text }) = error else {
        // The server may have closed an idle connection before the mail began.
        return match step {
            Step::Sender => ConversationError::BeforeMail(SendError::Unavailable(why)),
            _ => ConversationError::Broken(SendError::TryLater(why)),
        };
    };
    let error = match (judge(step, *code, text), step) {
        (Refusal::Mail, _) => SendError::Rejected(why),
        (Refusal::MailForNow, _) => SendError::TryLater(why),
        (Refusal::Doubtful, _) => SendError::Doubtful(why),
        (Refusal::Site, Step::Sender) => SendError::Unavailable(why),
        (Refusal::Site, _) => SendError::Blocked(why),
    };
    // RFC 5321, 3.8: the server closes the connection.
    match (code, step) {
        (421, Step::Sender) => ConversationError::BeforeMail(error),
        (421, _) => ConversationError::Broken(error),
        _ => ConversationError::Answered(error),
    }
}
