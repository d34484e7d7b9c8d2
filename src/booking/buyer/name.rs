//! Names, in any script. Rejects what others could misread.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

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
}

/// Reads a name. White space is tidied and letters are composed (Unicode's form NFC), so that the same name is
/// the same text however it was typed.
///
/// # Errors
/// Why it is not a name.
pub fn parse_name(typed: &str) -> Result<String, NameError> {
    let composed = compose(typed);
    if composed.chars().any(|c| !is_visible(c) && !c.is_whitespace()) {
        return Err(NameError::Invisible);
    }
    let name = composed.split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => Err(NameError::Missing),
        1..=LENGTH_MAX if has_too_many_marks(&name) => Err(NameError::TooManyMarks),
        1..=LENGTH_MAX if name.chars().any(char::is_alphanumeric) => Ok(name),
        1..=LENGTH_MAX => Err(NameError::NoLetter),
        _ => Err(NameError::TooLong),
    }
}

/// The text in Unicode's normal form C (Unicode Standard Annex 15).
pub(super) fn compose(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// Whether a character is visible and means the same to everybody. Rejected: control characters, characters
/// that change how others are shown (zero-width, bidirectional, tags, fillers; Unicode Technical Report 36),
/// private and unassigned ones, and the replacement character.
pub(super) fn is_visible(c: char) -> bool {
    use GeneralCategory as Category;
    let is_known = !matches!(
        CodePointMapData::<Category>::new().get(c),
        Category::Control
            | Category::Format
            | Category::Surrogate
            | Category::PrivateUse
            | Category::Unassigned
            | Category::LineSeparator
            | Category::ParagraphSeparator
    );
    is_known
        && c != char::REPLACEMENT_CHARACTER
        && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether a letter has more marks than [`MARKS_MAX`], or a mark has no letter.
fn has_too_many_marks(name: &str) -> bool {
    use GeneralCategory as Category;
    let categories = CodePointMapData::<Category>::new();
    let is_mark = |c: char| matches!(categories.get(c), Category::NonspacingMark | Category::EnclosingMark);
    let mut marks = 0;
    for c in name.chars() {
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
        ] {
            assert_eq!(parse_name(typed).as_deref().map(compose), Ok(compose(name)), "{typed}");
            let read = parse_name(typed).expect(typed);
            assert_eq!(parse_name(&read).as_ref(), Ok(&read), "a valid name does not change");
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
            "a\u{ad}b",
            "a\u{202e}b",
            "a\u{2066}b\u{2069}",
            "a\u{61c}b",
            "zero\u{200b}width",
            "zero\u{200d}width",
            "\u{feff}Ada",
            "Ada\u{3164}",
            "Ada\u{115f}",
            "Ada\u{fe0f}",
            "Ada\u{34f}b",
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
