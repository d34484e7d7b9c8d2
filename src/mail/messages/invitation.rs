//! The invitation to the team.

use askama::Template;
use chrono::Utc;

use super::message::{ComposeError, Message, MessageContext};
use crate::outbox::Mail;

#[derive(Template)]
#[template(path = "mail/invitation.html")]
struct InvitationHtml<'a> {
    username: Option<&'a str>,
    invited_by: &'a str,
    site: &'a str,
    role: &'a str,
    about: &'a str,
    url: &'a str,
    until: &'a str,
}

#[derive(Template)]
#[template(path = "mail/invitation.txt", whitespace = "preserve")]
struct InvitationText<'a> {
    username: Option<&'a str>,
    invited_by: &'a str,
    site: &'a str,
    role: &'a str,
    about: &'a str,
    url: &'a str,
    until: &'a str,
}

/// The mail's payload is what it says, sealed.
pub fn write(mail: &Mail, context: &MessageContext) -> Result<Message, ComposeError> {
    let sealed = mail.payload.as_deref().unwrap_or_default();
    let content = context.invitations.open(sealed);
    let content = content.ok_or_else(|| ComposeError::Failed("sealed with a secret that is gone".into()))?;
    if content.expires_at <= Utc::now().naive_utc() {
        return Err(ComposeError::Dropped("the invitation is over".into()));
    }
    let site = context.public_url.as_str();
    let url = &*format!("{site}/invitations/{}", content.token);
    let until = &*content.expires_at.format("%B %-d, %-I:%M %p UTC").to_string();
    let (invited_by, role, about) = (content.invited_by.as_str(), content.role.label(), content.role.about());
    let username = content.username.as_deref();
    let subject = match username {
        Some(_) => "A new password for TechKraft Tickets",
        None => "Join the team on TechKraft Tickets",
    };
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    Ok(Message {
        subject: subject.into(),
        text: InvitationText { username, invited_by, site, role, about, url, until }
            .render()
            .map_err(failed)?,
        html: InvitationHtml { username, invited_by, site, role, about, url, until }
            .render()
            .map_err(failed)?,
        ..Message::default()
    })
}
