//! Who organizes a concert, and how to reach them.

use super::Event;
use crate::contact::{OrganizerContact, contacts};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::event;

    fn by(name: &str, contact: &str) -> Event {
        Event { organizer_name: name.into(), organizer_contact: contact.into(), ..event() }
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
