//! Numbers as people type them: in the digits of their script, with the comma or the point of their language, and with
//! whatever it puts between thousands. They come out as Rust parses them: `1234.5`.

use super::digits::digit;

/// A whole number: `12`, `１２`, `١٢`, `1 200`, `1.200`, `1,200`, `2.0`. It may be too large for any integer.
///
/// `None` for anything else, fractions included.
#[must_use]
pub fn whole(typed: &str) -> Option<String> {
    // What nearly everybody types.
    if is_digits(typed) {
        return Some(typed.to_owned());
    }
    without_fraction(typed).or_else(|| {
        let number = decimal(typed)?;
        let (whole, fraction) = number.split_once('.')?;
        fraction.bytes().all(|digit| digit == b'0').then(|| whole.to_owned())
    })
}

/// Whether a number with a lone separator may be thousands in one language and a fraction in another: `1,500`, `1.500`.
#[must_use]
pub fn is_ambiguous(typed: &str) -> bool {
    let typed = plain(typed);
    let (_, digits) = signed(&typed);
    digits.split_once([',', '.']).is_some_and(|(whole, rest)| {
        is_digits(whole) && whole.len() <= 3 && !whole.starts_with('0') && rest.len() == 3 && is_digits(rest)
    })
}

fn without_fraction(typed: &str) -> Option<String> {
    let typed = plain(typed);
    let (sign, digits) = signed(&typed);
    let number = match digits.find(is_separator) {
        None => Some(digits.to_owned()),
        Some(at) => without_separators(digits, digits[at..].chars().next()?),
    };
    number.filter(|number| is_digits(number)).map(|number| format!("{sign}{number}"))
}

/// A number that may have a fraction: `1.5`, `1,5`, `١٫٥`, `1.234,5`, `1,234.5`, `1 234,5`, `.5`.
///
/// The last separator is the decimal one, unless it stands several times. A lone comma before three digits separates
/// thousands, as it does on our pages: `1,500` is fifteen hundred, `1.500` is one and a half.
#[must_use]
pub fn decimal(typed: &str) -> Option<String> {
    let typed = plain(typed);
    let (sign, digits) = signed(&typed);
    let (whole, fraction) = match digits.rfind(['.', ',']) {
        Some(at) if is_decimal_point(digits, at) => (&digits[..at], &digits[at + 1..]),
        _ => (digits, ""),
    };
    let whole = match whole.find(is_separator) {
        None => whole.to_owned(),
        Some(at) => without_separators(whole, whole[at..].chars().next()?)?,
    };
    let is_number = (is_digits(&whole) || whole.is_empty() && !fraction.is_empty())
        && (is_digits(fraction) || fraction.is_empty() && !whole.is_empty());
    let whole = if whole.is_empty() { "0" } else { &whole };
    let point = if fraction.is_empty() { "" } else { "." };
    is_number.then(|| format!("{sign}{whole}{point}{fraction}"))
}

/// Whether the last separator, a point or a comma, begins the fraction.
fn is_decimal_point(digits: &str, at: usize) -> bool {
    let (separator, before) = (&digits[at..=at], &digits[..at]);
    if before.contains(separator) {
        return false;
    }
    let is_thousands = separator == "," && digits.len() - at == 4 && !before.contains(is_separator);
    !is_thousands || before.is_empty() || before.starts_with('0') || before.len() > 3
}

/// The number without its thousands separators; `None` if they are not all between thousands.
fn without_separators(digits: &str, separator: char) -> Option<String> {
    let mut groups = digits.split(separator);
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    // India groups by two before the last three.
    let (last, middle) = rest.split_last()?;
    let is_grouped = (1..=3).contains(&first.len())
        && last.len() == 3
        && (middle.iter().all(|it| it.len() == 3)
            || first.len() < 3 && middle.iter().all(|it| it.len() == 2))
        && !first.starts_with('0');
    is_grouped.then(|| digits.replace(separator, ""))
}

/// The same number in ASCII: digits, `-`, `.`, `,`, and a space or an apostrophe between thousands. What is none of
/// these stays, and makes it no number.
#[must_use]
pub fn plain(typed: &str) -> String {
    typed.chars().filter(|c| !is_direction_mark(*c)).map(ascii).collect::<String>().trim().to_owned()
}

fn ascii(typed: char) -> char {
    if let Some(value) = digit(typed) {
        return value;
    }
    match typed {
        // Minus, hyphens and dashes.
        '\u{2212}' | '\u{2010}'..='\u{2013}' | '\u{fe63}' | '\u{ff0d}' => '-',
        '\u{66b}' | '\u{ff0c}' | '\u{fe50}' => ',',
        // The middle dots are older English.
        '\u{ff0e}' | '\u{fe52}' | '\u{b7}' | '\u{2027}' | '\u{22c5}' => '.',
        '\u{ff1a}' => ':',
        // The Arabic thousands separator, and the apostrophe that Switzerland uses.
        '\u{66c}' | '\u{2019}' | '\u{ff07}' => '\'',
        // No-break, figure, thin, narrow and ideographic spaces.
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        other => other,
    }
}

/// Invisible marks that Arabic and Hebrew keyboards put around a number, and the mark that some editors put first.
fn is_direction_mark(typed: char) -> bool {
    matches!(
        typed,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | ',' | '\'' | ' ')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The sign and the rest. Some keyboards of scripts that run from right to left put the minus last.
fn signed(text: &str) -> (&'static str, &str) {
    match text.strip_prefix('-').or_else(|| text.strip_suffix('-')) {
        Some(rest) => ("-", rest.trim()),
        None => ("", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_in_every_script() {
        for (typed, number) in [
            ("12", "12"),
            (" 12\t", "12"),
            ("００１２", "0012"),
            ("١٢", "12"),
            ("۱۲", "12"),
            ("१२", "12"),
            ("১২", "12"),
            ("๑๒", "12"),
            ("𝟏𝟐", "12"),
            ("\u{200f}١٢\u{200e}", "12"),
            ("1,200", "1200"),
            ("1.200", "1200"),
            ("1 200", "1200"),
            ("1\u{a0}200", "1200"),
            ("1\u{202f}200\u{202f}000", "1200000"),
            ("1\u{2009}200", "1200"),
            ("1'200", "1200"),
            ("1’200", "1200"),
            ("١٬٢٠٠", "1200"),
            ("１，２００", "1200"),
            ("12,34,567", "1234567"),
            ("-3", "-3"),
            ("−3", "-3"),
            ("－３", "-3"),
            ("3-", "-3"),
            ("99999999999999999999", "99999999999999999999"),
            ("2.0", "2"),
            ("2,0", "2"),
            ("٢٫٠", "2"),
            ("2·00", "2"),
            ("1,000.00", "1000"),
            ("1.000,00", "1000"),
            ("1.000", "1000"),
        ] {
            assert_eq!(whole(typed).as_deref(), Some(number), "{typed:?}");
        }
    }

    #[test]
    fn fractions_are_read_with_a_point_and_with_a_comma() {
        for (typed, number) in [
            ("1.5", "1.5"),
            ("1,5", "1.5"),
            ("١٫٥", "1.5"),
            ("１．５", "1.5"),
            ("１，５", "1.5"),
            (".5", "0.5"),
            (",5", "0.5"),
            ("1.", "1"),
            ("24", "24"),
            ("0,125", "0.125"),
            ("1.500", "1.500"),
            ("1,500", "1500"),
            ("1,500.5", "1500.5"),
            ("1.500,5", "1500.5"),
            ("1 500,25", "1500.25"),
            ("1\u{a0}500,25", "1500.25"),
            ("1'500.25", "1500.25"),
            ("1.234.567", "1234567"),
            ("1,234,567.5", "1234567.5"),
            ("−1,5", "-1.5"),
        ] {
            assert_eq!(decimal(typed).as_deref(), Some(number), "{typed:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for typed in [
            "",
            " ",
            "-",
            "--1",
            "- ",
            "+1",
            "abc",
            "1e3",
            "0x1",
            "1_0",
            "NaN",
            "inf",
            "1 2",
            "12 34",
            "1,2,3",
            "1.2.3",
            "1,23,45",
            "1\0",
            "1\n000",
            "¹",
            "½",
            "一",
            "²",
            "1,200 000",
            "0,123,456",
            "١ ٢",
            "1..5",
            "1,,5",
            ".",
            ",",
            "1a",
            "24h",
        ] {
            assert_eq!(whole(typed), None, "{typed:?}");
            assert_eq!(decimal(typed), None, "{typed:?}");
        }
        for typed in ["1.5", "1,5", "0,100", "1,500.5", "1.05"] {
            assert_eq!(whole(typed), None, "{typed:?} is no whole number");
        }
    }
}
