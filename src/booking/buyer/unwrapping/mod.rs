//! The email address inside what phones, copied texts and mail programs wrap around it.
//!
//! Whether the address is valid does not belong here: see `booking::buyer::email`.

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use percent_encoding::percent_decode_str;

use super::invisible::{is_visible, is_wrapping};

/// Why a text is not an email address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailError {
    Missing,
    /// More than one address, or more than one @.
    Several,
    /// It has a character that not every mail server accepts there.
    Character(char),
    Invalid,
}

/// An address as it was typed: what stands before the @, and what stands behind it.
pub(super) type TypedAddress = (String, String);

/// HTML entities, and the characters that they stand for.
const ENTITIES: [(&str, &str); 7] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&apos;", "'"),
    ("&#39;", "'"),
    ("&nbsp;", " "),
    ("&#64;", "@"),
];
const MAILTO: &str = "mailto:";

/// The only address in a text, without the name, the brackets, the punctuation and the invisible marks around
/// it. Full-width characters become ASCII, and percent-encoded characters are decoded.
///
/// A text is refused if a word beside the address could be a part of it: `ada lovelace@example.org` is not
/// `lovelace@example.org`.
///
/// # Errors
/// There is no address, there are several different ones, or a character is in the way.
pub(super) fn find_address(typed: &str) -> Result<TypedAddress, EmailError> {
    if let Some(address) = plain_address(typed) {
        return Ok(address);
    }
    let decoded = decoded(typed);
    if let Some(control) = decoded.chars().find(|c| c.is_control() && !c.is_whitespace()) {
        return Err(EmailError::Character(control));
    }
    let text: Vec<char> = decoded.chars().filter_map(fold).collect();
    let signs: Vec<usize> = (0..text.len()).filter(|at| text[*at] == '@').collect();
    if signs.is_empty() {
        let is_anything = text.iter().any(|c| belongs(*c) && c.is_alphanumeric());
        return Err(if is_anything { EmailError::Invalid } else { EmailError::Missing });
    }
    let broken = if signs.len() > 1 { EmailError::Several } else { EmailError::Invalid };
    let mut found: Option<TypedAddress> = None;
    let mut end_of_last = 0;
    for at in signs {
        let (address, end) = address_around(&text, at, end_of_last, broken)?;
        let is_same = |it: &TypedAddress| {
            it.0.eq_ignore_ascii_case(&address.0) && it.1.to_lowercase() == address.1.to_lowercase()
        };
        if found.as_ref().is_some_and(|it| !is_same(it)) {
            return Err(EmailError::Several);
        }
        found.get_or_insert(address);
        end_of_last = end;
    }
    found.ok_or(EmailError::Invalid)
}

/// Returns a text that is nothing but a plain address, of letters, digits and common signs. Such a text need
/// not be searched.
fn plain_address(typed: &str) -> Option<TypedAddress> {
    let (mailbox, domain) = typed.split_once('@')?;
    let has_only = |text: &str, signs: &str| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c))
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    let is_plain = has_only(mailbox, "._+-")
        && has_only(domain, ".-")
        && domain.ends_with(|c: char| c.is_ascii_alphanumeric());
    is_plain.then(|| (mailbox.to_owned(), domain.to_owned()))
}

/// The address around the @ at index `at`, and the index where it ends. It does not begin before `floor`, the
/// end of the previous address.
fn address_around(
    text: &[char],
    at: usize,
    floor: usize,
    broken: EmailError,
) -> Result<(TypedAddress, usize), EmailError> {
    // A phone may have put a space before or behind the @.
    let end = at - text[floor..at].iter().rev().take_while(|c| **c == ' ').count();
    let mut start =
        end - text[floor..end].iter().rev().take_while(|c| belongs(**c) || fits_mailbox(**c)).count();
    let is_around = |c: char| is_wrapping(c) || (c.is_ascii_punctuation() && c != '_');
    start += text[start..end].iter().take_while(|c| is_around(**c)).count();

    let from = at + 1 + text[at + 1..].iter().take_while(|c| **c == ' ').count();
    let run = text[from..].iter().take_while(|c| belongs(**c) || matches!(c, '-' | '.')).count();
    let is_behind = |c: char| is_wrapping(c) || matches!(c, '-' | '.');
    let to = from + run - text[from..from + run].iter().rev().take_while(|c| is_behind(**c)).count();

    // Underscores that emphasize a word in plain text: `_ada@example.org_`.
    if text[start..end].first() == Some(&'_') && text.get(to) == Some(&'_') {
        start += 1;
    }
    if start >= end || from >= to {
        return Err(broken);
    }
    is_free_before(&text[floor..start])?;
    if text.get(to) == Some(&'@') {
        return Err(broken);
    }
    is_free_behind(&text[to..])?;
    Ok(((text[start..end].iter().collect(), text[from..to].iter().collect()), to))
}

/// Checks that the text before an address is not a part of it.
fn is_free_before(before: &[char]) -> Result<(), EmailError> {
    let Some(&next) = before.last() else { return Ok(()) };
    if next != ' ' {
        let signs = before.iter().rev().take_while(|c| !belongs(**c) && **c != ' ').count();
        let touches_a_word = signs < before.len() && before[before.len() - signs - 1] != ' ';
        let is_bracket = matches!(next, ':' | '<' | '>' | '=' | '|' | '/') || is_bracket(next);
        return if touches_a_word && !is_bracket { Err(EmailError::Character(next)) } else { Ok(()) };
    }
    let before: String = before.iter().collect();
    let mut words = before.split_whitespace().rev();
    let Some(word) = words.next() else { return Ok(()) };
    let may_belong =
        word.chars().all(|c| fits_mailbox(c) || c == ',') && word.contains(char::is_alphanumeric);
    let is_of_a_name = word.starts_with(|c: char| c.is_ascii_uppercase()) && words.next().is_some();
    if may_belong && !is_of_a_name { Err(EmailError::Character(' ')) } else { Ok(()) }
}

/// Checks that the text after an address is not a part of it.
fn is_free_behind(behind: &[char]) -> Result<(), EmailError> {
    let Some(&next) = behind.first() else { return Ok(()) };
    if next == ' ' {
        let word: String = behind.iter().skip_while(|c| **c == ' ').take_while(|c| **c != ' ').collect();
        let first = word.trim_start_matches(['.', '-']).chars().next();
        let may_belong = word.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            || (word.starts_with(['.', '-']) && first.is_some_and(char::is_alphanumeric));
        return if may_belong { Err(EmailError::Character(' ')) } else { Ok(()) };
    }
    if is_bracket(next) || matches!(next, '<' | '>' | '|' | '"' | ',' | ';' | '،' | '؛' | '、') {
        return Ok(());
    }
    let after = behind.iter().find(|c| belongs(**c) || **c == ' ' || is_bracket(**c));
    if after.is_some_and(|c| belongs(*c)) { Err(EmailError::Character(next)) } else { Ok(()) }
}

/// Whether a character may stand before the @ (RFC 5322, `atext` and the dot).
pub(super) fn fits_mailbox(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c)
}

/// Whether a character is part of a word, or is invisible and should not be in an address at all. In both
/// cases the address does not end before it.
fn belongs(c: char) -> bool {
    use GeneralCategoryGroup as Group;
    if c == ' ' {
        return false;
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let is_delimiter = Group::Punctuation.union(Group::Symbol).union(Group::Separator).contains(category);
    !is_delimiter || !is_visible(c)
}

fn is_bracket(c: char) -> bool {
    use GeneralCategory as Category;
    matches!(
        CodePointMapData::<Category>::new().get(c),
        Category::OpenPunctuation
            | Category::ClosePunctuation
            | Category::InitialPunctuation
            | Category::FinalPunctuation
    )
}

/// The text with HTML entities and percent-encoding decoded, and without the queries of `mailto:` links.
fn decoded(typed: &str) -> String {
    let mut text = typed.to_owned();
    for (entity, meant) in ENTITIES {
        if text.contains(entity) {
            text = text.replace(entity, meant);
        }
    }
    let text = without_queries(&text);
    percent_decode_str(&text).decode_utf8().map_or_else(|_| text.clone(), Into::into)
}

/// `mailto:ada@example.org?subject=Tickets` without its subject.
fn without_queries(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = lower[from..].find(MAILTO).map(|at| from + at) {
        let is_end =
            |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '"' | '|');
        let end = text[at..].find(is_end).map_or(text.len(), |end| at + end);
        let link_end = text[at..end].find('?').map_or(end, |query| at + query);
        kept.push_str(&text[from..link_end]);
        from = end;
    }
    kept.push_str(&text[from..]);
    kept
}

/// The ASCII character for a character, or the character itself where there is none. `None`: it means nothing
/// in an address.
fn fold(c: char) -> Option<char> {
    match c {
        // Domains may contain joiners. Whether a joiner is allowed is decided later, in `email`.
        '\u{200c}' | '\u{200d}' => Some(c),
        // Selectors of the color of an emoji.
        '\u{fe0e}' | '\u{fe0f}' => None,
        c if is_wrapping(c) => None,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        '\u{fe6b}' => Some('@'),
        '\u{3002}' | '\u{ff61}' => Some('.'),
        '\u{2010}' | '\u{2011}' => Some('-'),
        '\u{2018}' | '\u{2019}' => Some('\''),
        c if c.is_whitespace() => Some(' '),
        c => Some(c),
    }
}

#[cfg(test)]
mod tests;
