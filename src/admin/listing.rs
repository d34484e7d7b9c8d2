//! The list of all bookings: what it is filtered by, and where its pages begin.

use super::ListedBooking;
use crate::booking::BookingStatus;
use crate::booking::buyer::{SearchWords, parse_email};

/// Which bookings are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookingFilter {
    pub event_id: Option<i64>,
    /// `None`: confirmed and canceled ones.
    pub status: Option<BookingStatus>,
    /// Somebody's whole address, by which bookings are found at once.
    pub email: Option<String>,
    /// What is in the name, the address or the reference.
    words: SearchWords,
}

impl BookingFilter {
    /// With what was typed into the search.
    #[must_use]
    pub fn new(event_id: Option<i64>, status: Option<BookingStatus>, typed: &str) -> Self {
        let email = parse_email(typed).ok();
        let words = if email.is_some() { SearchWords::default() } else { SearchWords::new(typed) };
        Self { event_id, status, email, words }
    }

    /// Whether bookings are read only to be compared with what was typed.
    #[must_use]
    pub fn compares(&self) -> bool {
        !self.words.is_empty()
    }

    #[must_use]
    pub fn fits(&self, candidate: &Candidate) -> bool {
        let Candidate { reference, buyer_name, buyer_email, .. } = candidate;
        !self.compares() || self.words.fit(buyer_name, buyer_email.as_deref(), reference)
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
    fn every_word_is_in_the_name_the_address_or_the_reference() {
        let candidate = Candidate {
            id: 1,
            reference: "TK-7F3K-9QXM".into(),
            buyer_name: "Zoë Ångström".into(),
            buyer_email: Some("zoe@example.org".into()),
        };
        let fits = |typed: &str| BookingFilter::new(None, None, typed).fits(&candidate);
        for typed in [
            "",
            " ",
            "zoe",
            "ANGSTROM zoë",
            "zoe@",
            "example.org",
            "7f3k",
            "tk7f3k9qxm",
            "gström",
            "Ångström, Zoë",
        ] {
            assert!(fits(typed), "{typed}");
        }
        for typed in ["ada", "zoe ada", "%", "_", "7f3k-9qxn"] {
            assert!(!fits(typed), "{typed}");
        }
        assert_eq!(
            BookingFilter::new(None, None, "Zoe@Example.org ").email.as_deref(),
            Some("Zoe@example.org")
        );
    }
}
