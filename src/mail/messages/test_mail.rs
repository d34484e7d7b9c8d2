//! The test mail: an owner sees whether mails of this site arrive.

use askama::Template;

use super::message::{ComposeError, Message, MessageContext};

#[derive(Template)]
#[template(path = "mail/test.html")]
struct TestMailHtml<'a> {
    site: &'a str,
}

#[derive(Template)]
#[template(path = "mail/test.txt", whitespace = "preserve")]
struct TestMailText<'a> {
    site: &'a str,
}

pub fn write(context: &MessageContext) -> Result<Message, ComposeError> {
    let site = context.public_url.as_str();
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    Ok(Message {
        subject: "Emails from your ticket site arrive".into(),
        text: TestMailText { site }.render().map_err(failed)?,
        html: TestMailHtml { site }.render().map_err(failed)?,
        ..Message::default()
    })
}
