//! The list of all bookings: what it is filtered by, and where its pages begin.

use super::ListedBooking;
use crate::booking::BookingStatus;
use crate::booking::buyer::{SearchWords, normalized_email, parse_email, shown_email};
use crate::booking::search::fit;

/// Which bookings are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookingFilter {
    pub event_id: Option<i64>,
    /// Only bookings with a line of this ticket type, even if its tickets were given back.
    pub ticket_type_id: Option<i64>,
    /// `None`: confirmed and canceled ones.
    pub status: Option<BookingStatus>,
    /// A complete email address, which finds its bookings directly.
    pub email: Option<String>,
    /// Beginnings of words in the name or the address, or of the reference.
    pub words: SearchWords,
}

impl BookingFilter {
    /// Adds what was typed into the search.
    #[must_use]
    pub fn with_typed(self, typed: &str) -> Self {
        let email = parse_email(typed).ok();
        let words = if email.is_some() { SearchWords::default() } else { SearchWords::new(typed) };
        Self { email, words, ..self }
    }

    /// Whether something was typed.
    #[must_use]
    pub fn is_search(&self) -> bool {
        self.email.is_some() || !self.words.is_empty()
    }

    /// Whether a booking matches what was typed into the search.
    #[must_use]
    pub fn fits(&self, candidate: &Candidate) -> bool {
        let Candidate { reference, buyer_name, buyer_email, .. } = candidate;
        let is_address = |email: &String| {
            let known = buyer_email.as_deref().map(normalized_email);
            known == Some(normalized_email(&shown_email(email)))
        };
        if self.email.as_ref().is_some_and(|it| !is_address(it)) {
            return false;
        }
        self.words.is_empty() || fit(self.words.words(), buyer_name, buyer_email.as_deref(), reference)
    }
}

/// A booking as a search reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub id: i64,
    pub reference: String,
    pub buyer_name: String,
    pub buyer_email: Option<String>,
}

/// A page of the list.
#[derive(Default)]
pub struct ListedPage {
    pub lines: Vec<ListedBooking>,
    /// The id before which the next page starts.
    pub older: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_begins_one_of_the_name_the_address_or_the_reference() {
        let candidate = Candidate {
            id: 1,
            reference: "TK-7F3K-9QXM".into(),
            buyer_name: "Zoë Ångström".into(),
            buyer_email: Some("zoe@example.org".into()),
        };
        let fits = |typed: &str| BookingFilter::default().with_typed(typed).fits(&candidate);
        for typed in
            ["", " ", "zoe", "ANGSTROM zoë", "zoe@", "example.org", "7f3k", "tk7f3k9qxm", "Ångström, Zoë"]
        {
            assert!(fits(typed), "{typed}");
        }
        for typed in ["ada", "zoe ada", "%", "_", "7f3k-9qxn", "gström", "oe"] {
            assert!(!fits(typed), "{typed}");
        }
        assert_eq!(
            BookingFilter::default().with_typed("Zoe@Example.org ").email.as_deref(),
            Some("Zoe@example.org")
        );
    }
}
