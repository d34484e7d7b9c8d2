//! A buyer whom another program knows by an id of its own, and of whom we have no address.

use super::{Buyer, parse_name};
use crate::booking::Booking;

/// Stands before the id where other bookings have the address, which never has a colon. The SQL that leaves
/// those without an address out of the mails spells it again.
const PREFIX: &str = "user:";

impl Buyer {
    /// The buyer of that id; `None` when it is none that can be shown to people as it is: 1 to 100 characters
    /// that are seen, as [`parse_name`] reads them.
    #[must_use]
    pub fn of_user(id: &str) -> Option<Self> {
        let is_shown_as_it_is = parse_name(id).is_ok_and(|name| name == id);
        is_shown_as_it_is.then(|| Self { name: id.to_owned(), email: format!("{PREFIX}{id}") })
    }
}

impl Booking {
    /// The buyer's id, when that is all that is known of the buyer.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.buyer_email.strip_prefix(PREFIX)
    }

    /// Whether there is an address to write to.
    #[must_use]
    pub fn has_address(&self) -> bool {
        self.user_id().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::buyer::parse_email;

    #[test]
    fn an_id_is_never_an_address() {
        for id in ["42", "auth0|5f7c8ec7c33c6c004bbafe82", "ada@example.org", "Zoë"] {
            let buyer = Buyer::of_user(id).expect(id);
            assert_eq!((buyer.name.as_str(), buyer.email.as_str()), (id, format!("user:{id}").as_str()));
            assert!(parse_email(&buyer.email).is_err(), "nobody types one into the form");
        }
        for id in ["", " 42", "4  2", "4\u{200b}2", "a\0", "---", &"x".repeat(101), "Zoe\u{308}"] {
            assert_eq!(Buyer::of_user(id), None, "{id:?}");
        }
    }
}
