//! How a buyer is known: by an email address, or by an id of the program that books for them.

use serde::{Deserialize, Serialize};

use super::name::parse_text;
use super::{Buyer, normalized_email, shown_email};

/// How a buyer is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contact {
    Email(String),
    /// The buyer's id in the program that books, as [`Buyer::of_user`] writes it. There is no address to write to.
    ExternalId(String),
}

impl Contact {
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::Email(email) => Some(email),
            Self::ExternalId(_) => None,
        }
    }

    /// The address as people read it: see [`shown_email`].
    #[must_use]
    pub fn shown_email(&self) -> Option<String> {
        self.email().map(shown_email)
    }

    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        match self {
            Self::Email(_) => None,
            Self::ExternalId(id) => Some(id),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(text) | Self::ExternalId(text) => text,
        }
    }

    pub(in crate::booking) fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::ExternalId(_) => "id",
        }
    }

    /// The person, for the limit for each person: the same text as in the index `bookings_person`. An address
    /// contains no space, so an id is never mistaken for an address.
    #[must_use]
    pub fn person(&self) -> String {
        match self {
            Self::Email(email) => normalized_email(email),
            Self::ExternalId(id) => format!("user {id}"),
        }
    }
}

impl Buyer {
    #[must_use]
    pub fn with_email(name: &str, email: &str) -> Self {
        Self { name: name.to_owned(), contact: Contact::Email(email.to_owned()) }
    }

    /// The buyer with this id. `None`: the id cannot be shown to people unchanged; it must be 1 to 100
    /// visible characters, as a name must. `token`: the name of the client's token. Then the id counts within
    /// that client only: it is stored after the token's name and two spaces, and no id contains two spaces in
    /// a row.
    #[must_use]
    pub fn of_user(id: &str, token: Option<&str>) -> Option<Self> {
        let is_shown_as_it_is = parse_text(id).is_ok_and(|name| name == id);
        let known_as = token.map_or_else(|| id.to_owned(), |token| format!("{token}  {id}"));
        is_shown_as_it_is.then(|| Self { name: id.to_owned(), contact: Contact::ExternalId(known_as) })
    }

    /// The address as people read it, or nothing.
    #[must_use]
    pub fn shown_email(&self) -> String {
        self.contact.shown_email().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_never_an_address() {
        for id in ["42", "auth0|5f7c8ec7c33c6c004bbafe82", "ada@example.org", "Zoë"] {
            let buyer = Buyer::of_user(id, None).expect(id);
            assert_eq!(
                (buyer.name.as_str(), buyer.contact.external_id(), buyer.shown_email()),
                (id, Some(id), String::new())
            );
            assert_ne!(buyer.contact.person(), Contact::Email(id.into()).person());
            let persons = [Some("shop"), Some("other"), None]
                .map(|token| Buyer::of_user(id, token).expect(id).contact.person());
            assert!(persons[0] != persons[1] && persons[1] != persons[2] && persons[2] != persons[0]);
        }
        for id in ["", " 42", "4  2", "4\u{200b}2", "a\0", "---", "shop  42", &"x".repeat(101), "Zoe\u{308}"]
        {
            assert_eq!(Buyer::of_user(id, Some("shop")), None, "{id:?}");
        }
    }
}
