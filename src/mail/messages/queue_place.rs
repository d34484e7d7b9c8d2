//! A place in a waiting room, for somebody who has registered.

use askama::Template;

use super::message::{ComposeError, Message, MessageContext};
use crate::outbox::Mail;
use crate::queue::registered_place::RegisteredPlace;

#[derive(Template)]
#[template(path = "mail/queue_place.html")]
struct QueuePlaceHtml<'a> {
    stop_url: &'a str,
    concert: &'a str,
    draws_at: &'a str,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/queue_place.txt", whitespace = "preserve")]
struct QueuePlaceText<'a> {
    stop_url: &'a str,
    concert: &'a str,
    draws_at: &'a str,
    url: &'a str,
}

/// The mail's payload is a [`RegisteredPlace`].
pub fn write(mail: &Mail, context: &MessageContext) -> Result<Message, ComposeError> {
    let registered: Option<RegisteredPlace> =
        mail.payload.as_deref().and_then(|payload| serde_json::from_str(payload).ok());
    let unreadable = || ComposeError::Failed("this mail has no place".into());
    let registered = registered.ok_or_else(unreadable)?;
    let place = registered.place().ok_or_else(unreadable)?;
    let token = context.place_links.token_of(registered.event_id, &registered.draw, &place);
    let url = &*format!("{}/events/{}/queue/place/{token}", context.public_url, registered.slug);
    let stop_url = &*context.stop_url(mail.recipient.as_deref().unwrap_or_default());
    let (concert, draws_at) = (&*registered.concert, &*registered.draws_at);
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    Ok(Message {
        subject: format!("Your place in the waiting room: {concert}"),
        text: QueuePlaceText { stop_url, concert, draws_at, url }.render().map_err(failed)?,
        html: QueuePlaceHtml { stop_url, concert, draws_at, url }.render().map_err(failed)?,
        ..Message::default()
    })
}
