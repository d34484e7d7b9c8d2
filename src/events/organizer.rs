//! Who organizes a concert, and how to reach them.

use email_address::{EmailAddress, Options};
use url::Url;

use super::Event;

/// A way to reach the organizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizerContact {
    /// As the organizer wrote it.
    pub text: String,
    /// What a link to it leads to; `None`: it is only text.
    pub href: Option<String>,
}

/// The fewest digits of a phone number.
const DIGITS_MIN: usize = 6;

impl Event {
    /// Whether anything is known of the organizer.
    #[must_use]
    pub fn has_organizer(&self) -> bool {
        !self.organizer_name.is_empty() || !self.organizer_contact.is_empty()
    }

    /// The ways to reach the organizer: what commas, semicolons or line breaks separate.
    #[must_use]
    pub fn organizer_contacts(&self) -> Vec<OrganizerContact> {
        contacts(&self.organizer_contact)
    }

    /// The organizer's email address, where there is one.
    #[must_use]
    pub fn organizer_email(&self) -> Option<String> {
        let mut contacts = self.organizer_contacts().into_iter();
        contacts.find_map(|contact| contact.href?.strip_prefix("mailto:").map(str::to_owned))
    }

    /// "The Foundry Hall, box@example.org"; empty when nothing is known.
    #[must_use]
    pub fn organizer_line(&self) -> String {
        let contacts = self.organizer_contacts().into_iter().map(|contact| contact.text);
        let parts = [self.organizer_name.clone()].into_iter().chain(contacts);
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// What a mail about the concert says of replies to it.
    #[must_use]
    pub fn replies(&self) -> String {
        let name = if self.organizer_name.is_empty() { "the organizer" } else { &self.organizer_name };
        if self.organizer_email().is_some() {
            return format!("Questions? Reply to this email to reach {name}.");
        }
        if self.organizer_contacts().is_empty() {
            return "Replies to this email aren’t read.".into();
        }
        format!("Questions? Contact {}. Replies to this email aren’t read.", self.organizer_line())
    }
}

/// Splits a typed line into the ways to reach somebody.
#[must_use]
pub fn contacts(line: &str) -> Vec<OrganizerContact> {
    let contacts = line.split([',', ';', '\n']).map(str::trim);
    let contact = |text: &str| OrganizerContact { text: text.to_owned(), href: href(text) };
    contacts.filter(|text| !text.is_empty()).map(contact).collect()
}

fn href(text: &str) -> Option<String> {
    let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
    if EmailAddress::parse_with_options(text, options).is_ok() {
        return Some(format!("mailto:{text}"));
    }
    if Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        return Some(text.to_owned());
    }
    let plus = if text.starts_with('+') { "+" } else { "" };
    let national = text.strip_prefix('+').unwrap_or(text);
    let digits: String = national.chars().filter(char::is_ascii_digit).collect();
    let is_phone = national.chars().all(|c| c.is_ascii_digit() || " ()-./".contains(c));
    (is_phone && digits.len() >= DIGITS_MIN).then(|| format!("tel:{plus}{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::event;

    fn by(name: &str, contact: &str) -> Event {
        Event { organizer_name: name.into(), organizer_contact: contact.into(), ..event() }
    }

    #[test]
    fn contacts_lead_where_they_say() {
        let contacts = by("", "box@example.org, https://example.org/help; +1 (512) 555-0100\nin person");
        let contacts = contacts.organizer_contacts();
        let links: Vec<Option<&str>> = contacts.iter().map(|contact| contact.href.as_deref()).collect();
        let expected = [
            Some("mailto:box@example.org"),
            Some("https://example.org/help"),
            Some("tel:+15125550100"),
            None,
        ];
        assert_eq!(links, expected);
        for text in [
            "javascript:alert(1)",
            "mailto:a@b.example",
            "12345",
            "+12345",
            "++++++",
            "a@b",
            "ftp://example.org",
        ] {
            assert_eq!(href(text), None, "{text}");
        }
    }

    #[test]
    fn a_mail_says_who_reads_its_replies() {
        for (name, contact, says) in [
            ("", "", "Replies to this email aren’t read."),
            ("The Foundry", ",", "Replies to this email aren’t read."),
            ("The Foundry", "", "Replies to this email aren’t read."),
            ("The Foundry", "box@example.org", "Questions? Reply to this email to reach The Foundry."),
            ("", "box@example.org", "Questions? Reply to this email to reach the organizer."),
            (
                "The Foundry",
                "https://example.org",
                "Questions? Contact The Foundry, https://example.org. Replies to this email aren’t read.",
            ),
        ] {
            assert_eq!(by(name, contact).replies(), says);
        }
    }
}
