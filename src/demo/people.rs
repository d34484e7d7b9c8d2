//! The people of the demo. Nobody has these addresses: their domains are reserved for examples (RFC 2606).

use crate::booking::buyer::Buyer;

const FIRST_NAMES: [&str; 24] = [
    "Ada", "Zoë", "Linus", "Grace", "José", "Mei", "Tariq", "Ingrid", "Noah", "Amara", "Łukasz", "Priya",
    "Owen", "Camille", "Yuki", "Ruth", "Mateo", "Sofia", "Elif", "Jonas", "Nia", "Hugo", "Leila", "Ben",
];
const LAST_NAMES: [&str; 23] = [
    "Bennett",
    "Okafor",
    "Lindqvist",
    "Moreau",
    "Tanaka",
    "Silva",
    "Kowalski",
    "Haddad",
    "Novak",
    "Rossi",
    "Chen",
    "O’Connor",
    "Fischer",
    "Diaz",
    "Patel",
    "Jensen",
    "Dubois",
    "Yılmaz",
    "Walker",
    "Reyes",
    "Schmidt",
    "Popescu",
    "Adeyemi",
];
const DOMAINS: [&str; 3] = ["example.org", "example.com", "example.net"];

/// A buyer. Each number is another person with an address of their own.
pub(super) fn buyer(number: usize) -> Buyer {
    // The numbers of names have no common factor: all pairs come before one comes again.
    let first = FIRST_NAMES[number % FIRST_NAMES.len()];
    let last = LAST_NAMES[number % LAST_NAMES.len()];
    let letters = |name: &str| {
        let ascii = deunicode::deunicode(name).to_ascii_lowercase();
        ascii.chars().filter(char::is_ascii_alphabetic).collect::<String>()
    };
    let domain = DOMAINS[number % DOMAINS.len()];
    let email = format!("{}.{}{number}@{domain}", letters(first), letters(last));
    Buyer::with_email(&format!("{first} {last}"), &email)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::booking::buyer::{parse_email, parse_name};

    #[test]
    fn everybody_is_somebody_else_and_could_have_typed_it() {
        let people: Vec<Buyer> = (0..1_000).map(buyer).collect();
        let names: HashSet<&str> = people.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names.len(), FIRST_NAMES.len() * LAST_NAMES.len());
        let persons: HashSet<String> = people.iter().map(|it| it.contact.person()).collect();
        assert_eq!(persons.len(), people.len());
        for Buyer { name, contact } in &people {
            assert_eq!(parse_name(name).as_ref(), Ok(name));
            let email = contact.email().expect("an address");
            assert_eq!(parse_email(email).expect("an address"), email);
        }
    }
}
