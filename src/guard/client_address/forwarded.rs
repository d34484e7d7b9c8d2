//! The Forwarded header (RFC 7239, section 4), read from its end: what the nearest proxy has written there
//! is well-formed, what stands before it may be anything, quotes that never close included.

use std::borrow::Cow;

/// What stands before the last comma outside quotes, and the element after it.
pub fn last_element(list: &str) -> (Option<&str>, &str) {
    match last_outside_quotes(list, b',') {
        Some(comma) => (Some(&list[..comma]), &list[comma + 1..]),
        None => (None, list),
    }
}

/// The node that an element's `for` names, out of its quotes; `None` when it names none, or two.
pub fn node_of(element: &str) -> Option<Cow<'_, str>> {
    let mut node = None;
    let mut rest = Some(element);
    while let Some(pairs) = rest {
        let (before, pair) = match last_outside_quotes(pairs, b';') {
            Some(at) => (Some(&pairs[..at]), &pairs[at + 1..]),
            None => (None, pairs),
        };
        rest = before;
        let Some((name, value)) = pair.split_once('=') else { continue };
        if name.trim().eq_ignore_ascii_case("for") && node.replace(unquoted(value.trim())?).is_some() {
            return None;
        }
    }
    node
}

/// The place of the last such byte that is in no quoted string (RFC 9110, section 5.6.4), as seen from the
/// end. The byte is ASCII, so the text may be cut there.
fn last_outside_quotes(text: &str, wanted: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut is_quoted = false;
    for (place, &byte) in bytes.iter().enumerate().rev() {
        match byte {
            b'"' if !(is_quoted && is_escaped(&bytes[..place])) => is_quoted = !is_quoted,
            _ if byte == wanted && !is_quoted => return Some(place),
            _ => {}
        }
    }
    None
}

/// Whether what follows these bytes is escaped by an odd number of backslashes at their end.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

fn unquoted(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains(['"', '\\']) {
        return Some(Cow::Borrowed(value));
    }
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    let mut characters = inner.chars();
    let mut text = String::with_capacity(inner.len());
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(characters.next()?),
            '"' => return None,
            _ => text.push(character),
        }
    }
    Some(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::FORWARDED;

    use super::super::tests::check;

    #[test]
    fn forwarded_counts_in_the_same_way() {
        check(
            &FORWARDED,
            &[
                ("203.0.113.9", "for=198.51.100.1", "203.0.113.9"),
                ("10.0.0.1", "for=198.51.100.1", "198.51.100.1"),
                ("10.0.0.1", "For=\"198.51.100.1\"", "198.51.100.1"),
                ("10.0.0.1", "FOR=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
                ("10.0.0.1", "for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"),
                ("10.0.0.1", "for=\"198.51.100.1:80\";proto=https;by=10.0.0.1", "198.51.100.1"),
                ("10.0.0.1", "proto=https; by=10.0.0.1 ; for=198.51.100.1", "198.51.100.1"),
                ("10.0.0.1", "for=\"198.51\\.100.1\"", "198.51.100.1"),
                ("10.0.0.1", "for=1.2.3.4, for=198.51.100.1", "198.51.100.1"),
                ("10.0.0.1", "for=1.2.3.4, for=198.51.100.1;proto=http, for=10.0.0.2", "198.51.100.1"),
                ("10.0.0.1", "for=10.0.0.3,for=10.0.0.2", "10.0.0.3"),
                ("10.0.0.1", "for=198.51.100.1;host=\"a, b;for=1.1.1.1\"", "198.51.100.1"),
                ("10.0.0.1", "for=198.51.100.1;host=\"a\\\", for=1.1.1.1\"", "198.51.100.1"),
                // Names that hide the address, and what is no element.
                ("10.0.0.1", "for=unknown", "10.0.0.1"),
                ("10.0.0.1", "for=198.51.100.1, for=_hidden, for=10.0.0.2", "10.0.0.2"),
                ("10.0.0.1", "proto=https", "10.0.0.1"),
                ("10.0.0.1", "for=198.51.100.1, proto=https", "10.0.0.1"),
                ("10.0.0.1", "198.51.100.1", "10.0.0.1"),
                ("10.0.0.1", "for=", "10.0.0.1"),
                ("10.0.0.1", "for=1.2.3.4;for=198.51.100.1", "10.0.0.1"),
                // A client's open quote swallows nothing that a proxy adds.
                ("10.0.0.1", "for=\", for=198.51.100.1", "198.51.100.1"),
                ("10.0.0.1", "for=\"1.2.3.4, for=\"[2001:db8::1]:4711\"", "2001:db8::1"),
                ("10.0.0.1", "for=\"\\\", for=198.51.100.1;proto=http", "198.51.100.1"),
                ("10.0.0.1", "for=\"198.51.100.1", "10.0.0.1"),
                ("10.0.0.1", "for=198.51.100.1\"", "10.0.0.1"),
                ("10.0.0.1", "for=\"198.51.100.1\\\"", "10.0.0.1"),
            ],
        );
    }
}
