//! Invisible characters: which ones belong to a word, which ones only wrap a text, and which ones are refused
//! because they change how other characters are shown.

use icu_properties::props::{
    BidiClass, DefaultIgnorableCodePoint, Emoji, EmojiModifier, ExtendedPictographic, GeneralCategory,
    IndicSyllabicCategory, JoiningType, Script, UnifiedIdeograph,
};
use icu_properties::{CodePointMapData, CodePointSetData};

const ZERO_WIDTH_SPACE: char = '\u{200b}';
const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
/// Shows the character before it as an emoji.
const EMOJI_STYLE: char = '\u{fe0f}';
const OBJECT_REPLACEMENT: char = '\u{fffc}';
/// A pattern of no dots, which looks like a space.
const BRAILLE_BLANK: char = '\u{2800}';

/// Whether a character is visible and means the same to everybody. Not visible: control characters, characters
/// that change how others are shown (zero-width, bidirectional, tags, fillers; Unicode Technical Report 36),
/// private and unassigned ones, and the replacement characters.
#[must_use]
pub fn is_visible(c: char) -> bool {
    use GeneralCategory as Category;
    // Most names are ASCII. This saves two lookups for each of their letters.
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
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
        && !matches!(c, char::REPLACEMENT_CHARACTER | OBJECT_REPLACEMENT | BRAILLE_BLANK)
        && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether a text has nothing but visible characters, the joiners that scripts and emoji need, and the
/// characters of `besides`.
#[must_use]
pub fn is_text(text: &str, besides: &[char]) -> bool {
    let joiners = [NON_JOINER, JOINER, EMOJI_STYLE];
    text.chars().all(|c| is_visible(c) || joiners.contains(&c) || besides.contains(&c))
}

/// Marks that phones, keyboards of right-to-left scripts and copied texts put around a text: soft hyphens,
/// zero-width spaces, and the marks and embeddings of the bidirectional algorithm. They mean nothing at the
/// edge of a word. The overrides, which turn the order of letters around, are not among them.
pub(super) fn is_wrapping(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'
            | NON_JOINER
            | JOINER
            | '\u{200e}' | '\u{200f}'
            | '\u{202a}'..='\u{202c}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// The word without what it is wrapped in. A joiner after a last virama stays: Malayalam names end so.
pub(super) fn unwrap_word(word: &str) -> &str {
    let word = word.trim_start_matches(is_wrapping);
    let bare = word.trim_end_matches(is_wrapping);
    let ends_in_virama = bare.chars().next_back().is_some_and(is_virama);
    match word.strip_prefix(bare) {
        Some(rest) if ends_in_virama && rest.starts_with(JOINER) => &word[..bare.len() + JOINER.len_utf8()],
        _ => bare,
    }
}

/// The word without the invisible characters that do nothing where they stand. Between words of scripts that
/// are written without spaces, a zero-width space becomes a visible space.
pub(super) fn without_idle(word: &str) -> String {
    let characters: Vec<char> = word.chars().collect();
    let mut kept: Vec<char> = Vec::with_capacity(characters.len());
    for (index, &c) in characters.iter().enumerate() {
        let after = characters.get(index + 1).copied();
        if is_visible(c) || !is_idle(c) || belongs(&kept, c, after) {
            kept.push(c);
        } else if c == ZERO_WIDTH_SPACE
            && kept.last().is_some_and(|c| is_written_without_spaces(*c))
            && after.is_some_and(is_written_without_spaces)
        {
            kept.push(' ');
        }
    }
    kept.into_iter().collect()
}

/// Invisible characters that neither turn the order of letters around nor look like a space.
fn is_idle(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2060}'..='\u{2064}'
            | '\u{206a}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

fn is_written_without_spaces(c: char) -> bool {
    matches!(
        CodePointMapData::<Script>::new().get(c),
        Script::Thai | Script::Lao | Script::Khmer | Script::Myanmar
    )
}

/// Whether each character of a word is visible, or belongs to the ones beside it: joiners in scripts whose letters
/// join, joiners in an emoji, and the selectors of a variant of an ideograph, an emoji or a Mongolian letter.
pub(super) fn is_readable(word: &str) -> bool {
    if word.is_ascii() {
        return word.chars().all(is_visible);
    }
    let characters: Vec<char> = word.chars().collect();
    characters.iter().enumerate().all(|(index, &c)| {
        let (before, after) = (&characters[..index], characters.get(index + 1).copied());
        is_visible(c) || belongs(before, c, after)
    })
}

fn belongs(before: &[char], c: char, after: Option<char>) -> bool {
    let Some(&previous) = before.last() else { return false };
    match c {
        NON_JOINER | JOINER => {
            joins_letters(before, previous, after, c) || (c == JOINER && joins_emoji(before, after))
        }
        '\u{fe0e}' | '\u{fe0f}' if CodePointSetData::new::<Emoji>().contains(previous) => true,
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
            CodePointSetData::new::<UnifiedIdeograph>().contains(previous)
        }
        '\u{180b}'..='\u{180f}' => ('\u{1820}'..='\u{18aa}').contains(&previous),
        _ => false,
    }
}

fn joins_letters(before: &[char], previous: char, after: Option<char>, joiner: char) -> bool {
    // Vowel signs may stand between a letter and the joiner.
    let is_after_letter = is_visible(previous)
        && before.iter().rev().copied().find(|c| !is_mark(*c)).is_some_and(takes_joiners);
    let is_before_letter = after.is_some_and(takes_joiners);
    let ends_the_word = after.is_none() && joiner == JOINER && is_virama(previous);
    is_after_letter && (is_before_letter || ends_the_word)
}

/// Whether a letter or a mark is of a script in which joiners change the shape of letters: Arabic and the scripts
/// that are written like it, and those of India and its neighbors.
fn takes_joiners(c: char) -> bool {
    let is_cursive = CodePointMapData::<BidiClass>::new().get(c) == BidiClass::ArabicLetter
        || matches!(
            CodePointMapData::<JoiningType>::new().get(c),
            JoiningType::DualJoining | JoiningType::RightJoining | JoiningType::LeftJoining
        );
    let is_indic = CodePointMapData::<IndicSyllabicCategory>::new().get(c) != IndicSyllabicCategory::Other;
    (c.is_alphabetic() || is_mark(c)) && is_visible(c) && (is_cursive || is_indic)
}

fn joins_emoji(before: &[char], after: Option<char>) -> bool {
    let pictures = CodePointSetData::new::<ExtendedPictographic>();
    let is_addition = |c: char| c == '\u{fe0f}' || CodePointSetData::new::<EmojiModifier>().contains(c);
    let base = before.iter().rev().copied().find(|c| !is_addition(*c));
    base.is_some_and(|c| pictures.contains(c)) && after.is_some_and(|c| pictures.contains(c))
}

fn is_virama(c: char) -> bool {
    let virama = [IndicSyllabicCategory::Virama, IndicSyllabicCategory::PureKiller];
    virama.contains(&CodePointMapData::<IndicSyllabicCategory>::new().get(c))
}

fn is_mark(c: char) -> bool {
    use GeneralCategory as Category;
    matches!(
        CodePointMapData::<Category>::new().get(c),
        Category::NonspacingMark | Category::SpacingMark | Category::EnclosingMark
    )
}
