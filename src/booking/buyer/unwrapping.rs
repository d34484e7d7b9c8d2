//! The email address inside what phones, copied texts and mail programs wrap around it.

use super::invisible::is_wrapping;

/// The address alone: without invisible marks, white space, brackets, quotation marks and punctuation around it,
/// without `mailto:`, and without the name in `Ada <ada@example.org>`. Full-width characters become ASCII.
pub(super) fn unwrap_address(typed: &str) -> String {
    let folded: String = typed.chars().filter_map(fold).collect();
    let mut address = trim(&folded);
    if let Some((_, inside)) = address.split_once('<')
        && !inside.contains('<')
    {
        address = trim(inside.split('>').next().unwrap_or(inside));
    }
    if let Some((scheme, rest)) = address.split_at_checked("mailto:".len())
        && scheme.eq_ignore_ascii_case("mailto:")
    {
        address = trim(rest.split('?').next().unwrap_or(rest));
    }
    address.to_owned()
}

/// The ASCII character that stands for a character; `None`: it means nothing in an address.
fn fold(c: char) -> Option<char> {
    match c {
        // Domains may have joiners: whether they do is not decided here.
        '\u{200c}' | '\u{200d}' => Some(c),
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

fn trim(text: &str) -> &str {
    let is_around = |c: char| c.is_whitespace() || is_wrapping(c) || "\"'“”„«»‹›,;:".contains(c);
    let text = text.trim_start_matches(|c| is_around(c) || "([<{".contains(c));
    text.trim_end_matches(|c| is_around(c) || ")]>}.!?".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrapped_around_an_address_is_taken_off() {
        for typed in [
            "ada@example.org",
            " ada@example.org\r\n",
            "\u{202a}ada@example.org\u{202c}",
            "\u{2068}ada@example.org\u{2069}",
            "\u{200e}ada@example.org\u{200f}",
            "\u{feff}ada@example.org",
            "ada@example.org\u{200b}",
            "ada@exam\u{ad}ple.org",
            "\u{a0}ada@example.org\u{3000}",
            "ada\u{ff20}example.org",
            "ada@example\u{ff0e}org",
            "ada@example。org",
            "ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ",
            "mailto:ada@example.org",
            "MAILTO:ada@example.org?subject=Tickets",
            "<ada@example.org>",
            "<mailto:ada@example.org>",
            "Ada <ada@example.org>",
            "\"Lovelace, Ada\" <ada@example.org>;",
            "Ada ＜ada@example.org＞",
            "ada@example.org.",
            "ada@example.org,",
            "ada@example.org;",
            "(ada@example.org)",
            "“ada@example.org”",
            "'ada@example.org'",
        ] {
            assert_eq!(unwrap_address(typed), "ada@example.org", "{typed:?}");
        }
        assert_eq!(unwrap_address("o’brien@example.org"), "o'brien@example.org");
        for alone in ["a b@example.org", "ada@exam\u{202e}ple.org", "a@x.org, b@x.org", "ada?@example.org"] {
            assert_eq!(unwrap_address(alone), alone, "nothing inside is touched");
        }
        assert_eq!(unwrap_address("A <a@x.org>, B <b@x.org>"), "A <a@x.org>, B <b@x.org");
        assert_eq!(unwrap_address(" <> "), "");
    }
}
