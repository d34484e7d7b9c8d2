//! Encodes a message into the bytes that a mail server accepts (RFC 5322, RFC 2045).
//!
//! What people typed is encoded by lettre, without control characters: no name can add a header or a recipient.

use std::time::SystemTime;

use chrono::NaiveDateTime;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, address};
use url::Host;

use super::message::{Message, MessageContext};

/// A mail, ready to be sent.
#[derive(Debug, Clone)]
pub struct Envelope {
    pub route: address::Envelope,
    /// Without the angle brackets.
    pub message_id: String,
    pub bytes: Vec<u8>,
}

/// Encodes a message. `message_id` is the part before the @, `date` when the mail was queued.
///
/// # Errors
/// A sentence for the organizer.
pub fn seal(
    message: Message,
    to: &str,
    context: &MessageContext,
    message_id: &str,
    date: NaiveDateTime,
) -> Result<Envelope, String> {
    let message_id = format!("{message_id}@{}", context.from.email.domain());
    let to = Mailbox::new(message.to_name.as_deref().map(one_line), parse_address(to)?);
    let mut builder = lettre::Message::builder().from(context.from.clone()).to(to);
    if let Some(reply_to) = message.reply_to.as_ref().and_then(parse_reply_to) {
        builder = builder.reply_to(reply_to);
    }
    let sealed = builder
        .subject(one_line(&message.subject))
        .date(SystemTime::from(date.and_utc()))
        .message_id(Some(format!("<{message_id}>")))
        // RFC 3834: keeps auto-replies away.
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .multipart(body(message)?)
        .map_err(|e| e.to_string())?;
    Ok(Envelope { route: sealed.envelope().clone(), message_id, bytes: sealed.formatted() })
}

fn body(message: Message) -> Result<MultiPart, String> {
    let html = MultiPart::related().singlepart(SinglePart::html(message.html));
    let html = message.pictures.into_iter().fold(html, |html, picture| {
        let picture = Attachment::new_inline_with_name(picture.content_id, picture.file_name)
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

/// The address with its domain in ASCII (RFC 5891), which every server accepts. A local part that is not ASCII needs
/// a server with SMTPUTF8.
fn parse_address(text: &str) -> Result<Address, String> {
    let wrong = || "this is not a valid email address".to_owned();
    let (user, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
    let domain = match Host::parse(domain).map_err(|_| wrong())? {
        Host::Domain(name) => name,
        _ => return Err(wrong()),
    };
    Address::new(user, domain).map_err(|_| wrong())
}

/// An invalid address is left out, so that the buyer still gets the tickets.
fn parse_reply_to((name, address): &(String, String)) -> Option<Mailbox> {
    let name = (!name.is_empty()).then(|| one_line(name));
    parse_address(address).ok().map(|address| Mailbox::new(name, address))
}

/// Without control characters, which would end the line or hide text.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_written_in_ascii_and_invalid_addresses_refused() {
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
    fn line_breaks_are_removed() {
        assert_eq!(one_line("Ada\r\nBcc: eve@example.org\u{85}\u{0}"), "Ada  Bcc: eve@example.org  ");
    }
}
