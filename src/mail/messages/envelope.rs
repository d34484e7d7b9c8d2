//! From a message to the bytes that a mail server takes (RFC 5322, RFC 2045).
//!
//! Everything that somebody typed goes through lettre's encoders, and what ends a line is taken out before:
//! whatever a name holds, it adds no header and no recipient.

use std::time::SystemTime;

use chrono::NaiveDateTime;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, address};
use url::Host;

use super::{Message, MessageContext};

/// A mail, ready to be handed on.
#[derive(Debug, Clone)]
pub struct Envelope {
    pub route: address::Envelope,
    /// Without the angle brackets.
    pub message_id: String,
    pub bytes: Vec<u8>,
}

/// Puts a message into an envelope. `message_id` is the part before the @, `date` when it was queued.
///
/// # Errors
/// What is wrong with the address, for the organizer.
pub fn seal(
    message: Message,
    to: &str,
    context: &MessageContext,
    message_id: &str,
    date: NaiveDateTime,
) -> Result<Envelope, String> {
    let message_id = format!("{message_id}@{}", context.from.email.domain());
    let to = Mailbox::new(message.to_name.as_deref().map(one_line), parse_address(to)?);
    let sealed = lettre::Message::builder()
        .from(context.from.clone())
        .to(to)
        .subject(one_line(&message.subject))
        .date(SystemTime::from(date.and_utc()))
        .message_id(Some(format!("<{message_id}>")))
        // RFC 3834: nobody's holiday notice answers it.
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .multipart(body(message)?)
        .map_err(|e| e.to_string())?;
    Ok(Envelope { route: sealed.envelope().clone(), message_id, bytes: sealed.formatted() })
}

fn body(message: Message) -> Result<MultiPart, String> {
    let html = MultiPart::related().singlepart(SinglePart::html(message.html));
    let html = message.pictures.into_iter().fold(html, |html, picture| {
        let file_name = format!("{}.png", picture.name);
        let picture = Attachment::new_inline_with_name(picture.name, file_name)
            .body(picture.png, content_type("image/png"));
        html.singlepart(picture)
    });
    let words = MultiPart::alternative().singlepart(SinglePart::plain(message.text)).multipart(html);
    let mut whole = MultiPart::mixed().multipart(words);
    for attachment in message.attachments {
        let content_type = ContentType::parse(attachment.content_type).map_err(|e| e.to_string())?;
        let part = Attachment::new(one_line(&attachment.file_name)).body(attachment.content, content_type);
        whole = whole.singlepart(part);
    }
    Ok(whole)
}

fn content_type(text: &str) -> ContentType {
    ContentType::parse(text).unwrap_or(ContentType::TEXT_PLAIN)
}

fn header(name: &'static str, value: &'static str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.into())
}

/// The domain in ASCII (RFC 5891), which every server takes; a local part in other letters needs one that
/// knows SMTPUTF8.
fn parse_address(text: &str) -> Result<Address, String> {
    let wrong = || "no mail server takes this address".to_owned();
    let (user, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
    let domain = match Host::parse(domain).map_err(|_| wrong())? {
        Host::Domain(name) => name,
        _ => return Err(wrong()),
    };
    Address::new(user, domain).map_err(|_| wrong())
}

/// Without what would end the line, or hide.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_in_ascii_or_not_at_all() {
        let written = |text| parse_address(text).map(|address| address.to_string());
        assert_eq!(written("ada@example.org").as_deref(), Ok("ada@example.org"));
        assert_eq!(written("ada@müller.example").as_deref(), Ok("ada@xn--mller-kva.example"));
        for bad in
            ["", "ada", "ada@", "@example.org", "a b@example.org", "ada@example.org>\r\nRCPT TO:<eve@x.org"]
        {
            assert!(written(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nothing_ends_a_line() {
        assert_eq!(one_line("Ada\r\nBcc: eve@example.org\u{85}\u{0}"), "Ada  Bcc: eve@example.org  ");
    }
}
