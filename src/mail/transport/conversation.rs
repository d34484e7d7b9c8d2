//! A conversation with a mail server (RFC 5321), command by command. Replies are read as servers really write them: in
//! any encoding, in lines of any length, with any line ending. lettre refuses such replies, and with them the code
//! that says what became of a mail.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::smtp_url::{Credentials, Encryption, SmtpUrl};
use crate::log_safe::one_line;

/// The most of a reply that is kept. What servers say to people is shorter.
const REPLY_LENGTH_MAX: usize = 1_000;

/// What a server says to a command.
#[derive(Debug)]
pub struct SmtpReply {
    pub code: u16,
    /// Its lines, as one.
    pub text: String,
}

/// Why a command was not carried out.
pub enum CommandError {
    Refused(SmtpReply),
    /// There is no reply, or none of a mail server.
    Lost(String),
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        Self::Lost(one_line(&error))
    }
}

impl CommandError {
    /// As mail administrators know it: `550 5.1.1 no such user`.
    pub fn text(&self) -> String {
        match self {
            Self::Refused(SmtpReply { code, text }) => format!("{code} {text}").trim_end().to_owned(),
            Self::Lost(why) => why.clone(),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// An open connection to a mail server.
pub struct Conversation {
    stream: BufReader<Box<dyn Stream>>,
    /// What the server offers, in capitals: `STARTTLS`, `AUTH PLAIN LOGIN`.
    offers: Vec<String>,
}

impl Conversation {
    /// Connects, encrypts and signs in, as the URL says. `hello`: our own name.
    pub async fn open(url: &SmtpUrl, tls: Option<&TlsConnector>, hello: &str) -> Result<Self, CommandError> {
        let tcp = TcpStream::connect((url.host.as_str(), url.port)).await?;
        tcp.set_nodelay(true)?;
        let plain = |stream: TcpStream| Self { stream: BufReader::new(Box::new(stream)), offers: Vec::new() };
        let mut opened = match (tls, url.encryption) {
            (Some(tls), Encryption::Tls) => Self::encrypted(tls, url, tcp).await?,
            (Some(tls), Encryption::StartTls) => {
                let mut unencrypted = plain(tcp);
                unencrypted.reply().await?;
                unencrypted.hello(hello).await?;
                if !unencrypted.offers("STARTTLS") {
                    return Err(CommandError::Lost("STARTTLS is not supported on this server".into()));
                }
                unencrypted.command("STARTTLS").await?;
                // Whatever was received before the encryption is dropped: anybody on the network may have
                // sent it.
                let encrypted = Self::encrypted(tls, url, unencrypted.stream.into_inner()).await?;
                return encrypted.introduced(url, hello).await;
            }
            _ => plain(tcp),
        };
        opened.reply().await?;
        opened.introduced(url, hello).await
    }

    async fn encrypted(
        tls: &TlsConnector,
        url: &SmtpUrl,
        stream: impl Stream + 'static,
    ) -> Result<Self, CommandError> {
        let name = ServerName::try_from(url.host.clone()).map_err(io::Error::other)?;
        let stream: Box<dyn Stream> = Box::new(tls.connect(name, stream).await?);
        Ok(Self { stream: BufReader::new(stream), offers: Vec::new() })
    }

    async fn introduced(mut self, url: &SmtpUrl, hello: &str) -> Result<Self, CommandError> {
        self.hello(hello).await?;
        if let Some(credentials) = &url.credentials {
            self.sign_in(credentials).await?;
        }
        Ok(self)
    }

    async fn hello(&mut self, name: &str) -> Result<(), CommandError> {
        self.write(format!("EHLO {name}\r\n").as_bytes()).await?;
        let (reply, lines) = self.lines().await?;
        accepted(reply)?;
        self.offers = lines.iter().map(|line| line.trim().to_ascii_uppercase()).collect();
        Ok(())
    }

    /// Whether the server offers an extension.
    pub fn offers(&self, extension: &str) -> bool {
        self.offers.iter().any(|offer| offer.split(' ').next() == Some(extension))
    }

    async fn sign_in(&mut self, credentials: &Credentials) -> Result<(), CommandError> {
        let Credentials { user, password } = credentials;
        // `AUTH=` is how old servers write it.
        let ways = self.offers.iter().find_map(|offer| offer.strip_prefix("AUTH")).unwrap_or_default();
        let mut ways = ways.split([' ', '=']);
        if ways.clone().any(|way| way == "PLAIN") {
            let both = STANDARD.encode(format!("\0{user}\0{password}"));
            self.command(&format!("AUTH PLAIN {both}")).await?;
        } else if ways.any(|way| way == "LOGIN") {
            self.command("AUTH LOGIN").await?;
            self.command(&STANDARD.encode(user)).await?;
            self.command(&STANDARD.encode(password)).await?;
        } else {
            return Err(CommandError::Lost("the server offers neither AUTH PLAIN nor AUTH LOGIN".into()));
        }
        Ok(())
    }

    /// Sends a command, and waits for its reply.
    pub async fn command(&mut self, command: &str) -> Result<(), CommandError> {
        self.write(format!("{command}\r\n").as_bytes()).await?;
        self.reply().await
    }

    /// Sends the mail itself, after `DATA`.
    pub async fn message(&mut self, mail: &[u8]) -> Result<(), CommandError> {
        let mut bytes = Vec::with_capacity(mail.len() + 64);
        for line in mail.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b".") {
                bytes.push(b'.');
            }
            bytes.extend_from_slice(line);
        }
        bytes.extend_from_slice(if mail.ends_with(b"\r\n") { b".\r\n" } else { b"\r\n.\r\n" });
        self.write(&bytes).await?;
        self.reply().await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    async fn reply(&mut self) -> Result<(), CommandError> {
        let (reply, _) = self.lines().await?;
        accepted(reply)
    }

    /// A reply, and the lines of its text.
    async fn lines(&mut self) -> Result<(SmtpReply, Vec<String>), CommandError> {
        let (mut lines, mut length) = (Vec::new(), 0);
        loop {
            let line = self.line().await?;
            let code = line.get(..3).and_then(|code| str::from_utf8(code).ok()?.parse().ok());
            let Some(code) = code.filter(|code| (200..600).contains(code)) else {
                return Err(CommandError::Lost("not a reply of a mail server".into()));
            };
            let text = one_line(&String::from_utf8_lossy(line.get(4..).unwrap_or_default()));
            if length < REPLY_LENGTH_MAX {
                length += text.len();
                lines.push(text);
            }
            if line.get(3) != Some(&b'-') {
                return Ok((SmtpReply { code, text: lines.join(" ").trim().to_owned() }, lines));
            }
        }
    }

    /// The next line, or its beginning.
    async fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            let come = self.stream.fill_buf().await?;
            if come.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let end = come.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(come.len(), |end| end + 1);
            line.extend_from_slice(&come[..length.min(REPLY_LENGTH_MAX.saturating_sub(line.len()))]);
            self.stream.consume(length);
            if end.is_some() {
                return Ok(line);
            }
        }
    }
}

fn accepted(reply: SmtpReply) -> Result<(), CommandError> {
    if reply.code < 400 { Ok(()) } else { Err(CommandError::Refused(reply)) }
}
