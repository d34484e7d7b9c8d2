//! Which domains look like others, because they mix scripts or because their letters look Latin and are not
//! (Unicode Technical Standard 39).

use icu_properties::CodePointMapData;
use icu_properties::props::Script;

/// Cyrillic and Greek letters that look like Latin ones: a part of a domain that is made only of these reads
/// like Latin letters.
const LATIN_LOOKALIKES: &str = "асԁеһіјӏорԛѕԝхуъьҽпгѵѡανορυικτωγ";

/// Whether a part of a domain is of one script, or of scripts that are written together, and does not look like Latin
/// letters.
#[must_use]
pub(super) fn is_unmistakable(label: &str) -> bool {
    let scripts = CodePointMapData::<Script>::new();
    let mut used: Vec<Script> = label.chars().map(|c| scripts.get(c)).collect();
    used.retain(|script| !matches!(*script, Script::Common | Script::Inherited));
    used.sort_unstable();
    used.dedup();
    let is_of = |together: &[Script]| used.iter().all(|script| together.contains(script));
    let is_one = used.len() <= 1;
    // Japanese, Chinese and Korean are written with Latin letters in between.
    let is_east_asian = is_of(&[Script::Latin, Script::Han, Script::Hiragana, Script::Katakana])
        || is_of(&[Script::Latin, Script::Han, Script::Bopomofo])
        || is_of(&[Script::Latin, Script::Han, Script::Hangul]);
    let looks_latin = !label.is_ascii()
        && label.chars().all(|c| LATIN_LOOKALIKES.contains(c) || (c.is_ascii() && !c.is_ascii_alphabetic()));
    (is_one || is_east_asian) && !looks_latin
}
