//! Names and addresses as a search compares them.

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

use super::{parse_email, shown_email};

/// A text without case, accents, and the differences between the forms of one letter.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let categories = CodePointMapData::<GeneralCategory>::new();
    let is_mark =
        |c: &char| matches!(categories.get(*c), GeneralCategory::NonspacingMark | GeneralCategory::Format);
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let mut folded = String::with_capacity(text.len());
    for c in decomposed.chars().flat_map(char::to_lowercase).filter(|c| !is_mark(c)) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            other => folded.push(other),
        }
    }
    folded
}

/// The words that somebody has typed to find bookings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchWords(Vec<String>);

impl SearchWords {
    /// The words without the punctuation between them. An address is one word, without whatever was typed
    /// around it.
    #[must_use]
    pub fn new(typed: &str) -> Self {
        if let Ok(email) = parse_email(typed) {
            return Self(vec![fold(&email)]);
        }
        let is_between = |c: char| !c.is_alphanumeric() && !matches!(c, '@' | '.' | '_' | '+' | '-');
        let is_around = |c: char| !c.is_alphanumeric() && c != '@';
        let folded = fold(typed);
        let words = folded.split(is_between).map(|word| word.trim_matches(is_around));
        let words: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
        // Nothing but signs: they are searched for as they are, because an empty list would fit every
        // booking.
        if words.is_empty() {
            Self(folded.split_whitespace().map(str::to_owned).collect())
        } else {
            Self(words)
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each without case and accents.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }

    /// Whether each word occurs somewhere in the name, the address or the reference of a booking.
    #[must_use]
    pub fn fit(&self, name: &str, email: Option<&str>, reference: &str) -> bool {
        let email = email.unwrap_or_default();
        let text = fold(&format!("{name} {email} {} {reference}", shown_email(email)));
        // People also type a reference without its hyphens, and a name without its hyphens or with spaces
        // instead.
        let letters = letters_of(&text);
        let is_in = |word: &str| {
            let bare = letters_of(word);
            text.contains(word) || (!word.contains('@') && !bare.is_empty() && letters.contains(&bare))
        };
        self.0.iter().all(|word| is_in(word))
    }
}

/// A text without its spaces and signs.
#[must_use]
pub fn letters_of(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whatever_stands_between_them() {
        let fits = |typed: &str| {
            let words = SearchWords::new(typed);
            !words.is_empty() && words.fit("Anne-Marie O’Brien", Some("ada5@example.org"), "TK-7F3K-9QXM")
        };
        for typed in [
            "mailto:ada5@example.org",
            "ada5@example.org,",
            "ada5@",
            "@example",
            "example.org",
            "O'Brien, Anne",
            "obrien",
            "annemarie",
            "anne marie",
            "\"Anne-Marie O'Brien\"",
            "TK-7F3K-9QXM",
            "7f3k9qxm",
            "tk7f3k 9qxm",
        ] {
            assert!(fits(typed), "{typed}");
        }
        for typed in ["", "%", "a5@example.com", "brian", "7f3k-9qxn", "eve@example.org"] {
            assert!(!fits(typed), "{typed}");
        }
    }

    #[test]
    fn texts_are_compared_without_case_and_accents() {
        for (name, typed) in [
            ("Zoë Ångström", "ZOE ANGSTROM"),
            ("Zoe\u{308}", "zoë"),
            ("Straße", "strasse"),
            ("Łukasz", "lukasz"),
            ("İpek Işık", "ipek isik"),
            ("Σίσυφος", "ΣΙΣΥΦΟΣ"),
            ("علی\u{200c}رضا", "علیرضا"),
            ("ＡＤＡ", "ada"),
            ("Ada@Example.org", "ada@example.org"),
        ] {
            assert_eq!(fold(name), fold(typed), "{name}");
        }
        assert_ne!(fold("Ada"), fold("Eda"));
    }
}
