//! The search over all bookings: which words a booking is found by, and which of them begin with a typed
//! word. The words are in an index of their own, without case and accents, because neither database compares
//! text that way. A background task ([`worker`]) keeps the index, so that booking costs no more for it.
//! Bookings that the task has not reached yet are compared one by one, up to a limit.
//!
//! How a list of what was found is shown does not belong here: see `admin::booking_list`.

pub mod store;
pub mod worker;

use std::collections::BTreeSet;

use super::REFERENCE_ALPHABET;
use super::buyer::{fold, letters_of, shown_email};

/// Longer words are found by their beginnings.
const WORD_LENGTH_MAX: usize = 64;
/// The most words of one booking, without that of its reference.
const WORDS_MAX: usize = 24;
/// A shorter word is not searched as the beginning of a reference: it is probably meant as a name.
const REFERENCE_LENGTH_MIN: usize = 3;

/// The words that a booking is found by: those of its buyer's name, the address, what follows a sign in the address,
/// and its domain.
#[must_use]
pub fn words_of(name: &str, email: Option<&str>) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for token in fold(name).split_whitespace() {
        words.extend(token.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
        words.insert(letters_of(token));
    }
    let email = email.unwrap_or_default();
    for address in [fold(email), fold(&shown_email(email))] {
        let Some((local, domain)) = address.rsplit_once('@') else { continue };
        words.extend([address.clone(), domain.to_owned()]);
        let signs = local.char_indices().filter(|(_, c)| !c.is_alphanumeric());
        words.extend(signs.map(|(at, c)| address[at + c.len_utf8()..].to_owned()));
    }
    let words = words.into_iter().filter(|word| !word.is_empty());
    words.map(|word| word.chars().take(WORD_LENGTH_MAX).collect()).take(WORDS_MAX).collect()
}

/// The beginnings to look up in the index for a typed word.
#[must_use]
pub fn beginnings(word: &str) -> BTreeSet<String> {
    // PostgreSQL accepts no text with a NUL character.
    let visible: String = word.chars().filter(|c| !c.is_control()).collect();
    let address = visible.trim_start_matches('@');
    let cut = |word: &str| word.chars().take(WORD_LENGTH_MAX).collect::<String>();
    let all = [cut(address), cut(&letters_of(word))];
    // An address is looked up only with its signs: without them it is not a word of a name.
    all.into_iter().take(if word.contains('@') { 1 } else { 2 }).filter(|it| !it.is_empty()).collect()
}

/// The references that a typed word may be the beginning of: "7f3k9" begins TK-7F3K-9QXM.
#[must_use]
pub fn reference_beginnings(word: &str) -> Vec<String> {
    let typed = letters_of(word).to_ascii_uppercase();
    let readings = [Some((typed.as_str(), REFERENCE_LENGTH_MIN)), typed.strip_prefix("TK").map(|it| (it, 1))];
    let is_part = |(it, least): &(&str, usize)| {
        (*least..=8).contains(&it.len()) && it.bytes().all(|byte| REFERENCE_ALPHABET.contains(&byte))
    };
    let grouped = |(it, _): (&str, usize)| match it.split_at_checked(4) {
        Some((first, rest)) if !rest.is_empty() => format!("TK-{first}-{rest}"),
        _ => format!("TK-{it}"),
    };
    readings.into_iter().flatten().filter(is_part).map(grouped).collect()
}

/// Whether each of these typed words is the beginning of one of the booking's words, or of its reference.
#[must_use]
pub fn fit(typed: &[String], name: &str, email: Option<&str>, reference: &str) -> bool {
    let words = words_of(name, email);
    let begins = |typed: &String| {
        beginnings(typed)
            .iter()
            .any(|beginning| words.iter().any(|word| word.starts_with(beginning.as_str())))
            || reference_beginnings(typed).iter().any(|beginning| reference.starts_with(beginning.as_str()))
    };
    typed.iter().all(begins)
}

/// The first text after all texts that begin with this one, in the order of their bytes; `None`: there is
/// none.
#[must_use]
pub fn end_of_range(beginning: &str) -> Option<String> {
    let mut chars: Vec<char> = beginning.chars().collect();
    while let Some(last) = chars.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_booking_is_found_by_its_buyers_names_and_address() {
        let words = words_of("Anne-Marie O’Brien Ångström", Some("anne.marie+vip@Example.org"));
        let expected = [
            "anne",
            "anne.marie+vip@example.org",
            "annemarie",
            "angstrom",
            "brien",
            "example.org",
            "marie",
            "marie+vip@example.org",
            "o",
            "obrien",
            "vip@example.org",
        ];
        assert_eq!(words, expected.map(str::to_owned).into());
        assert_eq!(words_of("  ", None), BTreeSet::new());
        assert!(words_of(&"x".repeat(100), None).contains(&"x".repeat(WORD_LENGTH_MAX)));
    }

    #[test]
    fn what_is_typed_begins_words() {
        let begins = |typed: &str| beginnings(typed).into_iter().collect::<Vec<_>>();
        assert_eq!(begins("anne-marie"), ["anne-marie", "annemarie"]);
        assert_eq!(begins("@example.org"), ["example.org"]);
        assert_eq!(begins("ada@"), ["ada@"]);
        assert_eq!(begins("%"), ["%"]);
        assert_eq!(begins("\0"), Vec::<String>::new());
        assert_eq!(reference_beginnings("tk-7f3k"), ["TK-TK7F-3K", "TK-7F3K"]);
        assert_eq!(reference_beginnings("7f3k9"), ["TK-7F3K-9"]);
        assert_eq!(reference_beginnings("tk-7"), ["TK-TK7", "TK-7"]);
        for none in ["tk-1", "zoe", "tk", "7f"] {
            assert!(reference_beginnings(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn a_range_ends_behind_everything_that_begins_so() {
        assert_eq!(end_of_range("zoe").as_deref(), Some("zof"));
        assert_eq!(end_of_range("z\u{10ffff}").as_deref(), Some("{"));
        assert_eq!(end_of_range("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(end_of_range(""), None);
    }
}
