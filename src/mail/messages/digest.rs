//! Several mails to one address in one: those that had to wait, because the address had got too many.

use askama::Template;

use super::message::{ComposeError, Message, MessageContext};
use crate::booking::PlacedBooking;
use crate::booking::buyer::shown_email;
use crate::mail::DueMail;
use crate::outbox::MailKind;

/// What one of the mails would have said.
struct DigestLine<'a> {
    news: &'static str,
    sale: &'a PlacedBooking,
    /// `None`: the address is not the booking's any more.
    url: Option<String>,
}

#[derive(Template)]
#[template(path = "mail/digest.html")]
struct DigestHtml<'a> {
    stop_url: &'a str,
    email: &'a str,
    lines: &'a [DigestLine<'a>],
    find_url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/digest.txt", whitespace = "preserve")]
struct DigestText<'a> {
    stop_url: &'a str,
    email: &'a str,
    lines: &'a [DigestLine<'a>],
    find_url: &'a str,
}

/// Whether a mail can be a line of a digest.
#[must_use]
pub fn may_join(due: &DueMail) -> bool {
    due.sale.is_some() && MailKind::parse(&due.mail.kind).and_then(news_of).is_some()
}

/// Names of buyers are not in it: anybody may have typed them.
pub fn write(mails: &[&DueMail], context: &MessageContext) -> Result<Message, ComposeError> {
    let lines: Vec<DigestLine> = mails.iter().filter_map(|due| line_of(due, context)).collect();
    if lines.is_empty() {
        return Err(ComposeError::Dropped("bookings canceled before sending".into()));
    }
    let recipient = mails.first().map(|due| due.recipient()).unwrap_or_default();
    let stop_url = &*context.stop_url(recipient);
    let email = &*shown_email(recipient);
    let find_url = &*format!("{}/bookings/find", context.public_url);
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    Ok(Message {
        subject: format!("News of your bookings ({})", lines.len()),
        text: DigestText { stop_url, email, lines: &lines, find_url }.render().map_err(failed)?,
        html: DigestHtml { stop_url, email, lines: &lines, find_url }.render().map_err(failed)?,
        ..Message::default()
    })
}

/// `None`: what it says is no longer true.
fn line_of<'a>(due: &'a DueMail, context: &MessageContext) -> Option<DigestLine<'a>> {
    let (sale, kind) = (due.sale.as_ref()?, MailKind::parse(&due.mail.kind)?);
    let booking = &sale.booking;
    let is_true = match kind {
        MailKind::Confirmation | MailKind::Correction => booking.is_confirmed(),
        MailKind::Cancellation => booking.is_canceled(),
        MailKind::Declined => booking.is_held(),
        _ => true,
    };
    let url = (kind != MailKind::AddressChange)
        .then(|| format!("{}/bookings/{}", context.public_url, booking.token));
    Some(DigestLine { news: news_of(kind)?, sale, url }).filter(|_| is_true)
}

fn news_of(kind: MailKind) -> Option<&'static str> {
    match kind {
        MailKind::Confirmation => Some("Booked"),
        MailKind::Correction => Some("Updated"),
        MailKind::Cancellation => Some("Canceled"),
        MailKind::Return => Some("Some tickets canceled"),
        MailKind::AddressChange => Some("Has another email address now"),
        MailKind::Declined => Some("The payment was declined"),
        _ => None,
    }
}
