//! Ways to reach somebody, typed in one line: an email address, a website, a phone number, or words.

use email_address::{EmailAddress, Options};
use url::Url;

/// A way to reach the organizer or the box office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizerContact {
    /// As the organizer wrote it.
    pub text: String,
    /// What a link to it leads to; `None`: it is only text.
    pub href: Option<String>,
}

/// The fewest digits of a phone number.
const DIGITS_MIN: usize = 6;

/// Splits a typed line into the ways to reach somebody: what commas, semicolons or line breaks separate.
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

    #[test]
    fn contacts_lead_where_they_say() {
        let contacts = contacts("box@example.org, https://example.org/help; +1 (512) 555-0100\nin person");
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
}
