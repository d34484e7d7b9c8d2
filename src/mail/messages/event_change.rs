//! The mail to holders of a concert that has changed: how it was, how it is now, and what they can do.

use askama::Template;

use super::message::{ComposeError, Message, MessageContext, about, calendar_file};
use crate::booking::PlacedBooking;
use crate::booking::event_jobs::HolderNotice;
use crate::outbox::Mail;

#[derive(Template)]
#[template(path = "mail/event_change.html")]
struct ChangeHtml<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    notice: &'a HolderNotice,
    /// Until when tickets can be given back.
    deadline: Option<&'a str>,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/event_change.txt", whitespace = "preserve")]
struct ChangeText<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    notice: &'a HolderNotice,
    /// Until when tickets can be given back.
    deadline: Option<&'a str>,
    url: &'a str,
}

/// The mail's payload says how it was. A booking that was canceled since gets none.
pub fn write(sale: &PlacedBooking, mail: &Mail, context: &MessageContext) -> Result<Message, ComposeError> {
    let PlacedBooking { booking, event, .. } = sale;
    if !booking.is_confirmed() {
        return Err(ComposeError::Dropped("booking canceled before sending".into()));
    }
    let payload = mail.payload.as_deref().unwrap_or_default();
    let notice: &HolderNotice = &serde_json::from_str(payload)
        .map_err(|e| ComposeError::Failed(format!("this mail does not say what has changed: {e}")))?;
    let deadline = event.cancellation_deadline().filter(|_| event.is_cancellable(mail.queued_at));
    let deadline = deadline.as_deref();
    let url = &*format!("{}/bookings/{}", context.public_url, booking.token);
    let stop_url = &*context.stop_url(sale.booking.email().unwrap_or_default());
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    let what = if notice.is_postponed { "Postponed" } else { "Changed" };
    Ok(Message {
        subject: format!("{what}: {}, now {} ({})", event.name, event.date(), booking.reference),
        text: ChangeText { stop_url, sale, notice, deadline, url }.render().map_err(failed)?,
        html: ChangeHtml { stop_url, sale, notice, deadline, url }.render().map_err(failed)?,
        attachments: vec![calendar_file(sale, context)],
        ..about(sale)
    })
}
