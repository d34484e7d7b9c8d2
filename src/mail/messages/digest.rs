//! Joins several mails to one address into one: mails that had to wait because the address had received too
//! many.

use askama::Template;

use super::message::{ComposeError, Message, MessageContext};
use crate::booking::PlacedBooking;
use crate::booking::buyer::shown_email;
use crate::mail::DueMail;
use crate::outbox::MailKind;

/// What one of the mails would have said.
struct DigestLine<'a> {
    kind: MailKind,
    news: &'static str,
    sale: &'a PlacedBooking,
    /// `None`: the address is not the booking's any more.
    url: Option<String>,
}

#[derive(Template)]
#[template(path = "mail/digest.html")]
struct DigestHtml<'a> {
    subject: &'a str,
    stop_url: &'a str,
    email: &'a str,
    lines: &'a [DigestLine<'a>],
    find_url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/digest.txt", whitespace = "preserve")]
struct DigestText<'a> {
    subject: &'a str,
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
    let kinds: Vec<MailKind> = lines.iter().map(|line| line.kind).collect();
    let subject = &*subject_of(&kinds);
    Ok(Message {
        subject: subject.to_owned(),
        text: DigestText { subject, stop_url, email, lines: &lines, find_url }.render().map_err(failed)?,
        html: DigestHtml { subject, stop_url, email, lines: &lines, find_url }.render().map_err(failed)?,
        ..Message::default()
    })
}

/// "Your 3 bookings are confirmed", "Your bookings: 2 confirmed, 1 canceled".
fn subject_of(kinds: &[MailKind]) -> String {
    let count = |change| (kinds.iter().filter(|kind| change_of(**kind) == change).count(), change);
    let counts = ["confirmed", "changed", "canceled"].map(count).into_iter().filter(|(many, _)| *many > 0);
    match counts.collect::<Vec<_>>().as_slice() {
        [(1, change)] => format!("Your booking is {change}"),
        [(many, change)] => format!("Your {many} bookings are {change}"),
        several => {
            let parts: Vec<String> =
                several.iter().map(|(many, change)| format!("{many} {change}")).collect();
            format!("Your bookings: {}", parts.join(", "))
        }
    }
}

fn change_of(kind: MailKind) -> &'static str {
    match kind {
        MailKind::Confirmation => "confirmed",
        MailKind::Cancellation => "canceled",
        _ => "changed",
    }
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
    Some(DigestLine { kind, news: news_of(kind)?, sale, url }).filter(|_| is_true)
}

fn news_of(kind: MailKind) -> Option<&'static str> {
    match kind {
        MailKind::Confirmation => Some("Booked"),
        MailKind::Correction => Some("Updated"),
        MailKind::Cancellation => Some("Canceled"),
        MailKind::Return => Some("Some tickets canceled"),
        MailKind::AddressChange => Some("Email address changed"),
        MailKind::Declined => Some("The payment was declined"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_says_what_has_happened() {
        use MailKind::{Cancellation, Confirmation, Declined};
        assert_eq!(subject_of(&[Confirmation]), "Your booking is confirmed");
        assert_eq!(subject_of(&[Cancellation; 3]), "Your 3 bookings are canceled");
        let mixed = [Cancellation, Confirmation, Declined, Confirmation];
        assert_eq!(subject_of(&mixed), "Your bookings: 2 confirmed, 1 changed, 1 canceled");
    }
}
