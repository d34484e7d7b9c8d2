//! A message of the organizer to the holders of a concert's tickets: plain text under a subject, sent once to
//! each person. The mail itself says who sent it and why the recipient gets it, so the organizer writes only
//! what is new.

use serde::{Deserialize, Serialize};

use crate::booking::buyer::is_text;

/// In characters.
pub const SUBJECT_LENGTH_MAX: usize = 120;
/// In characters.
pub const TEXT_LENGTH_MAX: usize = 5_000;

/// What holders are told, and which of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderMessage {
    pub subject: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Only the holders of this ticket type, by its name; `None`: all.
    pub ticket_type: Option<String>,
}

/// What a job about a message keeps beside its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFacts {
    pub subject: String,
    pub ticket_type: Option<String>,
    /// How many people it was to reach.
    pub people: i64,
    /// Two forms with the same key are one form that was sent twice.
    pub form_key: String,
}

/// What a mail about a message keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MessagePayload {
    /// The mail carries the message of that job.
    Sent { job: i64 },
    /// A test mail that the organizer asked for.
    Test { event: i64, message: HolderMessage },
}

impl HolderMessage {
    /// "all holders", "holders of VIP"
    #[must_use]
    pub fn audience(ticket_type: Option<&str>) -> String {
        ticket_type.map_or_else(|| "all holders".to_owned(), |name| format!("holders of {name}"))
    }
}

/// Reads the subject: one line.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse_subject(typed: &str) -> Result<String, String> {
    let subject = typed.trim();
    match subject.chars().count() {
        0 => Err("Write a subject.".into()),
        1..=SUBJECT_LENGTH_MAX if is_text(subject, &[]) => Ok(subject.to_owned()),
        1..=SUBJECT_LENGTH_MAX => Err("This contains invisible characters. Please retype it.".into()),
        _ => Err(format!("Use {SUBJECT_LENGTH_MAX} characters or fewer.")),
    }
}

/// Reads the text: lines of plain text.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse_text(typed: &str) -> Result<String, String> {
    let text = typed.replace("\r\n", "\n");
    let text = text.trim();
    match text.chars().count() {
        0 => Err("Write a message.".into()),
        1..=TEXT_LENGTH_MAX if is_text(text, &['\n', '\t']) => Ok(text.to_owned()),
        1..=TEXT_LENGTH_MAX => Err("This contains invisible characters. Please retype it.".into()),
        _ => Err(format!("Use {} characters or fewer.", crate::money::grouped(TEXT_LENGTH_MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_line_and_a_text_has_several() {
        assert_eq!(parse_subject(" Doors at 6 "), Ok("Doors at 6".into()));
        assert_eq!(parse_text(" Hello,\r\n\r\nDoors at 6.\n"), Ok("Hello,\n\nDoors at 6.".into()));
        for bad in ["", " ", "a\nb", "a\u{202e}b", &"x".repeat(121)] {
            assert!(parse_subject(bad).is_err(), "{bad:?}");
        }
        for bad in ["", " \n", "a\u{0}b", &"x".repeat(5001)] {
            assert!(parse_text(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_payload_is_read_as_what_it_was_written_as() {
        let message = HolderMessage { subject: "A".into(), text: "B".into(), ticket_type: None };
        for payload in [MessagePayload::Sent { job: 7 }, MessagePayload::Test { event: 1, message }] {
            let text = serde_json::to_string(&payload).expect("JSON");
            assert_eq!(serde_json::from_str::<MessagePayload>(&text).expect("a payload"), payload);
        }
    }
}
