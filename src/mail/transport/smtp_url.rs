//! `SMTP_URL`: the mail server, and how the connection is encrypted.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::log_safe::{ENCODE, has_open_sign, without_password};
use crate::outgoing::is_loopback;
use crate::start_error::StartError;

/// The ports that RFC 6409 and RFC 8314 name for submission.
const STARTTLS_PORT: u16 = 587;
const TLS_PORT: u16 = 465;

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte.
    Tls,
    /// After STARTTLS, which the server must offer.
    StartTls,
    /// Not at all: on this machine, or because the URL says so.
    None,
}

/// What a client signs in with. Not `Debug`: nothing prints a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}

/// A mail server. The password is never printed.
#[derive(Clone)]
pub struct SmtpUrl {
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    pub credentials: Option<Credentials>,
}

impl SmtpUrl {
    /// Reads the URL, without connecting: the site also starts while the mail server is down.
    pub fn parse(value: &str) -> Result<Self, StartError> {
        let wrong =
            |what: &str, hint: &str| StartError::setting("SMTP_URL", &without_password(value), what, hint);
        let hint = "use smtp://USER:PASSWORD@HOST:587, or smtps://…:465";
        if has_open_sign(value) {
            return Err(wrong("not a mail server's URL", ENCODE));
        }
        let url = Url::parse(value).map_err(|_| wrong("not a mail server's URL", hint))?;
        // The URL standard does not parse IPv4 addresses in schemes that it does not know.
        let host = url.host_str().and_then(|host| Host::parse(host).ok());
        let host = host.ok_or_else(|| wrong("no host", hint))?;
        if !["", "/"].contains(&url.path()) || url.fragment().is_some() {
            return Err(wrong("more than a server", hint));
        }
        let is_local = is_loopback(&host);
        let encryption = match (url.scheme(), url.query()) {
            ("smtps", None) => Encryption::Tls,
            ("smtp", None) if is_local => Encryption::None,
            ("smtp", None | Some("tls=starttls")) => Encryption::StartTls,
            ("smtp", Some("tls=none")) => Encryption::None,
            ("smtp" | "smtps", Some(_)) => {
                let hint = "use smtp://…?tls=starttls or smtp://…?tls=none";
                return Err(wrong("unknown parameter", hint));
            }
            _ => return Err(wrong("unknown scheme", hint)),
        };
        let credentials = credentials(&url).ok_or_else(|| wrong("a user without a password", hint))?;
        if encryption == Encryption::None && credentials.is_some() && !is_local {
            let hint = "leave out tls=none, or user and password";
            return Err(wrong("would send the password unencrypted", hint));
        }
        let port = if encryption == Encryption::Tls { TLS_PORT } else { STARTTLS_PORT };
        let port = url.port().unwrap_or(port);
        // IPv6 addresses without the brackets of URLs.
        let host = match host {
            Host::Domain(name) => name,
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        Ok(Self { host, port, encryption, credentials })
    }
}

/// `Some(None)`: no user. `None`: a user without a password.
fn credentials(url: &Url) -> Option<Option<Credentials>> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    match (url.username(), url.password()) {
        ("", None) => Some(None),
        (_, None) | ("", Some(_)) => None,
        (user, Some(password)) => {
            Some(Some(Credentials { user: decoded(user), password: decoded(password) }))
        }
    }
}

impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpUrl({self}, {:?})", self.encryption)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encryption_is_required_except_on_this_machine_or_on_request() {
        for (url, shown, encryption) in [
            ("smtp://ada:s3cret@mail.example.org", "mail.example.org:587", Encryption::StartTls),
            ("smtps://ada:s3cret@mail.example.org", "mail.example.org:465", Encryption::Tls),
            ("smtp://relay.internal:25?tls=none", "relay.internal:25", Encryption::None),
            ("smtp://localhost:1025", "localhost:1025", Encryption::None),
            ("smtp://127.0.0.1:1025", "127.0.0.1:1025", Encryption::None),
            ("smtp://192.0.2.1:1025", "192.0.2.1:1025", Encryption::StartTls),
            ("smtp://[::1]:1025", "::1:1025", Encryption::None),
            ("smtp://localhost:1025?tls=starttls", "localhost:1025", Encryption::StartTls),
        ] {
            let parsed = SmtpUrl::parse(url).expect(url);
            assert_eq!((parsed.to_string().as_str(), parsed.encryption), (shown, encryption));
            assert!(!format!("{parsed:?}").contains("s3cret"));
        }
        let parsed = SmtpUrl::parse("smtp://ada%40example.org:a%2Fb@mail.example.org").expect("valid");
        let credentials = parsed.credentials.expect("credentials");
        assert_eq!((&*credentials.user, &*credentials.password), ("ada@example.org", "a/b"));
    }

    #[test]
    fn errors_name_the_problem_and_never_the_password() {
        for (value, says) in [
            ("http://ada:s3cret@mail.example.org", "unknown scheme"),
            ("smtp://ada@mail.example.org", "without a password"),
            ("smtp://ada:s3cret@mail.example.org?tls=none", "unencrypted"),
            ("smtp://ada:s3cret@mail.example.org?tls=some", "unknown parameter"),
            ("smtp://ada:s3cret@mail.example.org/inbox", "more than a server"),
            ("smtp://ada:s3cret@mail.example.org:port", "not a mail server's URL"),
            ("ada:s3cret@mail.example.org", "no host"),
            ("smtp://ada:s3cret#s3cret@mail.example.org", "%23"),
            ("smtp://ada:s3cret/s3cret@mail.example.org", "%2F"),
            ("smtp://ada:s3cret?s3cret@mail.example.org", "%3F"),
            ("smtp://ada:1/s3cret@mail.example.org", "%2F"),
            ("smtp://ada:1?s3cret@mail.example.org", "%3F"),
            ("smtp://ada:s3cret", "not a mail server's URL"),
        ] {
            let message = SmtpUrl::parse(value).expect_err(value).to_string();
            assert!(message.contains("SMTP_URL") && message.contains(says), "{message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
    }
}
