//! Names, in any script. Rejects what others could misread.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

use super::invisible::{is_readable, is_visible, unwrap_word, without_idle};

/// In characters: at most 400 bytes of UTF-8.
const LENGTH_MAX: usize = 100;

/// Most marks on one letter: more would cover the lines above and below (Unicode Technical Standard 39,
/// section 5.4).
const MARKS_MAX: usize = 4;

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    Missing,
    /// It has characters that cannot be seen.
    Invisible,
    TooManyMarks,
    NoLetter,
    TooLong,
    /// It has a web address in it, or an email address.
    Address,
}

/// Reads a name. White space is tidied and letters are composed (Unicode's form NFC), so that the same name is
/// the same text however it was typed. Invisible characters stay where a script or an emoji needs them, and are
/// dropped where they do nothing.
///
/// A name goes into mails to addresses that nobody has confirmed, so it cannot be an address itself: mail programs make
/// links of those.
///
/// # Errors
/// Why it is not a name.
pub fn parse_name(typed: &str) -> Result<String, NameError> {
    let name = parse_text(typed)?;
    match name {
        name if has_address(&name) => Err(NameError::Address),
        name if name.chars().any(is_letter) => Ok(name),
        _ => Err(NameError::NoLetter),
    }
}

/// Like [`parse_name`], for a text that goes into no mail: it may be a number, and may contain an address.
///
/// # Errors
/// Why it is not a text that people can read.
pub fn parse_text(typed: &str) -> Result<String, NameError> {
    let name = tidied(typed);
    if !name.split(' ').all(is_readable) {
        return Err(NameError::Invisible);
    }
    match name.chars().count() {
        0 => Err(NameError::Missing),
        1..=LENGTH_MAX if has_too_many_marks(&name) => Err(NameError::TooManyMarks),
        1..=LENGTH_MAX if name.chars().any(char::is_alphanumeric) => Ok(name),
        1..=LENGTH_MAX => Err(NameError::NoLetter),
        _ => Err(NameError::TooLong),
    }
}

/// The text composed, with one space between words and without the invisible characters that do nothing.
fn tidied(typed: &str) -> String {
    // ASCII text is composed already, and contains no characters that only wrap a word.
    if typed.is_ascii() {
        return typed.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let composed = compose(typed);
    let words = composed.split_whitespace().map(unwrap_word).filter(|word| !word.is_empty());
    compose(&words.map(without_idle).collect::<Vec<_>>().join(" "))
}

/// Whether a character is a letter by itself. Signs that only change or lengthen a letter are not, nor is the
/// raised a or o of an ordinal number.
fn is_letter(c: char) -> bool {
    use GeneralCategory as Category;
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    let category = CodePointMapData::<Category>::new().get(c);
    let is_letter = matches!(
        category,
        Category::UppercaseLetter
            | Category::LowercaseLetter
            | Category::TitlecaseLetter
            | Category::OtherLetter
    );
    is_letter && !matches!(c, 'ª' | 'º')
}

/// The text in Unicode's normal form C (Unicode Standard Annex 15).
pub(super) fn compose(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// Whether there is a web address or an email address in a name, also where it is written with wide or raised
/// letters (Unicode's form NFKC makes them plain ones): a slash, an @, `www.`, or a dot between letters with
/// two letters or more after it, as in `example.org`. "J.R.R. Tolkien" has none.
fn has_address(name: &str) -> bool {
    let plain = ComposingNormalizerBorrowed::new_nfkc().normalize(name).to_lowercase();
    let is_host = |word: &str| {
        let labels: Vec<&str> = word.split(['.', '。']).collect();
        labels.windows(2).any(|pair| {
            pair[0].ends_with(char::is_alphanumeric)
                && pair[1].chars().take_while(|c| c.is_alphanumeric()).count() >= 2
        })
    };
    plain.contains(['/', '\\', '@'])
        || plain.split_whitespace().any(|word| is_host(word) || word.starts_with("www."))
}

/// Whether a letter has more marks than [`MARKS_MAX`], or a mark has no letter.
fn has_too_many_marks(name: &str) -> bool {
    use GeneralCategory as Category;
    if name.is_ascii() {
        return false;
    }
    let categories = CodePointMapData::<Category>::new();
    let is_mark = |c: char| matches!(categories.get(c), Category::NonspacingMark | Category::EnclosingMark);
    let mut marks = 0;
    for c in name.chars().filter(|c| is_mark(*c) || is_visible(*c)) {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > MARKS_MAX {
            return true;
        }
    }
    name.split(' ').any(|word| word.starts_with(is_mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_scripts_are_tidied_and_composed() {
        for (typed, name) in [
            ("  Ada   Lovelace ", "Ada Lovelace"),
            ("Ada\tLovelace\n", "Ada Lovelace"),
            ("Zoe\u{308}", "Zo\u{eb}"),
            ("李 小龍", "李 小龍"),
            ("O’Brien-Smith, Jr. 3rd", "O’Brien-Smith, Jr. 3rd"),
            ("Nguye\u{302}\u{303}n", "Nguy\u{1ec5}n"),
            ("שָׁלוֹם", "ש\u{5b8}\u{5c1}לו\u{5b9}ם"),
            ("राजेन्द्र प्रसाद", "राजेन्द्र प्रसाद"),
            ("محمد", "محمد"),
            ("김정은", "김정은"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
            ("Åsa \u{212b}", "Åsa Å"),
            // Joiners between letters: Persian, Urdu, Devanagari, Sinhala, Bengali, Kannada, and Malayalam at the end.
            ("علی\u{200c}رضا", "علی\u{200c}رضا"),
            ("بهاء\u{200c}الدین", "بهاء\u{200c}الدین"),
            ("مُحمّدِ\u{200c}علی", "مُحمّدِ\u{200c}علی"),
            ("क\u{94d}\u{200d}षिति", "क\u{94d}\u{200d}षिति"),
            ("श\u{94d}\u{200c}री", "श\u{94d}\u{200c}री"),
            ("ශ\u{dca}\u{200d}රී", "ශ\u{dca}\u{200d}රී"),
            ("র\u{200d}\u{9cd}যাব", "র\u{200d}\u{9cd}যাব"),
            ("ರ\u{200d}\u{ccd}ಯಾ", "ರ\u{200d}\u{ccd}ಯಾ"),
            ("മോഹന\u{d4d}\u{200d}", "മോഹന\u{d4d}\u{200d}"),
            ("ᠮᠣᠩᠭᠣᠯ\u{180e}ᠠ", "ᠮᠣᠩᠭᠣᠯ\u{180e}ᠠ"),
            // Variants of ideographs, and emoji.
            ("葛\u{e0100}城", "葛\u{e0100}城"),
            ("Ada \u{2764}\u{fe0f}", "Ada \u{2764}\u{fe0f}"),
            ("Ada 👩\u{1f3fd}\u{200d}\u{1f4bb}", "Ada 👩\u{1f3fd}\u{200d}\u{1f4bb}"),
            // What a phone or a copied text wraps around a name.
            ("Ada Lovelace\u{200f}", "Ada Lovelace"),
            ("\u{202a}Ada Lovelace\u{202c}", "Ada Lovelace"),
            ("\u{2068} Ada \u{2069}", "Ada"),
            ("\u{feff}Ada\u{200b} \u{200b} Lovelace\u{ad}", "Ada Lovelace"),
            ("\u{200f}דוד \u{200f}לוי\u{200e}", "דוד לוי"),
            ("\u{200c}علی\u{200d}", "علی"),
            ("Ada\u{a0}Lovelace\u{3000}", "Ada Lovelace"),
            // What does nothing where it stands.
            ("a\u{ad}b", "ab"),
            ("a\u{61c}b", "ab"),
            ("zero\u{200b}width", "zerowidth"),
            ("zero\u{200d}width", "zerowidth"),
            ("Ада\u{200d}Ада", "АдаАда"),
            ("שָׁ\u{34f}לו\u{200e}ם", "שָׁלום"),
            ("Ada\u{2060}\u{34f}b", "Adab"),
            ("Ada\u{fe0f}", "Ada"),
            ("علی\u{200c}\u{200c}رضا", "علی\u{200c}رضا"),
            ("علی\u{200b}رضا", "علیرضا"),
            ("علی\u{200c}x", "علیx"),
            ("Ada 👩\u{200d}x", "Ada 👩x"),
            // Words of scripts that are written without spaces.
            ("สมชาย\u{200b}ใจดี", "สมชาย ใจดี"),
            ("សុខ\u{200b}\u{200b}សាន្ត\u{200b}", "សុខ សាន្ត"),
            ("ສົມ\u{200b}ຈິດ", "ສົມ ຈິດ"),
            ("အောင်\u{200b}ဆန်း", "အောင် ဆန်း"),
        ] {
            assert_eq!(parse_name(typed).as_deref().map(compose), Ok(compose(name)), "{typed}");
            let read = parse_name(typed).expect(typed);
            assert_eq!(parse_name(&read).as_ref(), Ok(&read), "a valid name does not change");
        }
    }

    #[test]
    fn no_address_is_a_name() {
        for address in [
            "Account locked! Verify at https://evil.example/tk?a=1 within 24h",
            "evil.example",
            "see evil.example.",
            "(evil.example)",
            "www.x",
            "http:evil.example",
            "ada@localhost",
            "evil\u{ff0e}example",
            "evil\u{3002}example",
            "evil\u{2024}example",
            "\u{ff45}vil\u{ff61}example",
            "пример.рф",
            "例え.jp",
            "1.2.3.44",
            "evil example\u{ff0f}x",
            "evil\\example",
            "Dr.Smith",
        ] {
            assert_eq!(parse_name(address), Err(NameError::Address), "{address}");
        }
        for name in [
            "J.R.R. Tolkien",
            "Dr. Smith, Ph.D.",
            "Sammy Davis, Jr.",
            "O’Brien-Smith, Jr. 3rd",
            "J.-P. Sartre",
            "Ada…Lovelace",
            "Ada . Lovelace",
            "Martin L. K.",
            "A. & B. Lovelace",
            "ᚠ. ᚢ.",
        ] {
            assert_eq!(parse_name(name).as_deref(), Ok(name));
        }
    }

    #[test]
    fn invisible_or_unreadable_text_is_no_name() {
        for bad in [
            "",
            "   ",
            "...",
            "\u{2800}",
            "a\u{0}b",
            "a\u{1b}[31m",
            "a\u{7f}b",
            "a\u{85}\u{9b}b",
            "a\u{202e}b",
            "a\u{2066}b\u{2069}",
            "\u{200d}",
            "\u{200c}\u{200d} \u{200f}",
            "\u{202e}Ada",
            "Ada\u{202d}",
            "Ada \u{202e}ecalevoL\u{202c}",
            "Ada\u{3164}",
            "\u{3164}",
            "Ada\u{ffa0}",
            "Ada\u{2800}",
            "Ada\u{fffc}",
            "Ada\u{115f}",
            "Ada 🏴\u{e0067}\u{e007f}",
            "1\u{200d}2",
            "1",
            "２",
            "²",
            "①",
            "8\u{fe0f}",
            "ª",
            "ʰ",
            "ــــ",
            "ー",
            "Ada\u{202a}b",
            "Ada\u{e0041}",
            "Ada\u{e000}",
            "Ada\u{f0000}",
            "Ada\u{378}",
            "Ada\u{fffe}",
            "Ada\u{fffd}",
            "Ada\u{fff9}x",
            "\u{301}Ada",
            "Ada \u{301}b",
            &format!("Z{}algo", "\u{337}".repeat(5)),
            &"x".repeat(101),
            &"𞤀".repeat(101),
        ] {
            assert!(parse_name(bad).is_err(), "{bad:?}");
        }
        assert!(parse_name(&"𞤀".repeat(100)).is_ok_and(|name| name.len() == 400));
        assert!(parse_name(&format!("Z{}algo", "\u{337}".repeat(4))).is_ok());
    }
}
