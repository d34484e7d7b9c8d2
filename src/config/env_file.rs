//! `.env`: settings as lines of `NAME=value`.
//!
//! A value is literal: `$` and `#` stand in passwords, so nothing is substituted, and `#` begins a comment only at the
//! start of a line or after a space. An error names the line by its number, because its content may be a secret.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::start_error::StartError;

const NAME: &str = ".env";

/// Sets the variables that `.env` has and the environment does not. The file is in the working folder, or
/// else in the nearest folder above it. Call this before the command line is read.
///
/// # Errors
/// One line: the file cannot be read, or one of its lines is not `NAME=value`.
pub fn load() -> Result<(), StartError> {
    let folder = env::current_dir().unwrap_or_default();
    let Some(file) = folder.ancestors().map(|folder| folder.join(NAME)).find(|file| file.is_file()) else {
        return Ok(());
    };
    let wrong = |what: &str| StartError::new(format!("{}: {what}", shown(&file, &folder)));
    let bytes = fs::read(&file).map_err(|e| wrong(&e.to_string()))?;
    let text = decode(&bytes).ok_or_else(|| wrong("not text; save it as UTF-8"))?;
    let settings = parse(&text).map_err(|Fault { line, what }| wrong(&format!("line {line}: {what}")))?;
    // Changing the environment is unsafe code, which this crate has none of, so dotenvy does it.
    let quoted: String = settings.iter().map(|(name, value)| format!("{name}={}\n", quote(value))).collect();
    dotenvy::from_read(quoted.as_bytes()).map_err(|_| wrong("its settings cannot be set"))
}

/// `.env` in the working folder, otherwise the whole path.
fn shown(file: &Path, folder: &Path) -> String {
    file.strip_prefix(folder).map_or_else(|_| file.to_owned(), PathBuf::from).display().to_string()
}

/// UTF-8, with or without a byte order mark, or UTF-16 with one, which Windows editors call Unicode.
fn decode(bytes: &[u8]) -> Option<String> {
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> =
            bytes[2..].chunks(2).map(|pair| unit([pair[0], pair.get(1).copied().unwrap_or(0)])).collect();
        String::from_utf16(&units).ok()
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        [0xFF, 0xFE, ..] => utf16(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => utf16(u16::from_be_bytes),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}

/// What is wrong, and in which line.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    line: usize,
    what: &'static str,
}

/// The names and values. If a name stands twice, its last value counts.
fn parse(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut settings: Vec<(String, String)> = Vec::new();
    for (index, line) in text.replace("\r\n", "\n").split(['\n', '\r']).enumerate() {
        let fault = |what| Fault { line: index + 1, what };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| fault("write it as NAME=value"))?;
        let name = name.trim_end();
        let name =
            name.strip_prefix("export").filter(|it| it.starts_with([' ', '\t'])).unwrap_or(name).trim();
        let is_name = !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
        if name.is_empty() || !is_name {
            return Err(fault("the name before = has letters, digits and _ only"));
        }
        let value = unquote(value.trim()).map_err(fault)?;
        settings.retain(|(known, _)| known != name);
        settings.push((name.to_owned(), value));
    }
    Ok(settings)
}

/// The value as it was meant. In double quotes `\"` and `\\` are a quote and a backslash; nothing else is special.
fn unquote(text: &str) -> Result<String, &'static str> {
    if text.contains('\0') {
        return Err("a zero byte");
    }
    let (value, rest) = match text.chars().next() {
        Some(quote @ ('\'' | '"')) => {
            let mut value = String::new();
            let mut rest = text[1..].chars();
            loop {
                match rest.next().ok_or("a quote is not closed")? {
                    c if c == quote => break,
                    '\\' if quote == '"' && rest.as_str().starts_with(['"', '\\']) => {
                        value.extend(rest.next())
                    }
                    c => value.push(c),
                }
            }
            (value, rest.as_str().trim_start())
        }
        _ => {
            let comment = text.match_indices('#').map(|(at, _)| at);
            let end = comment.into_iter().find(|at| text[..*at].ends_with([' ', '\t']) || *at == 0);
            (text[..end.unwrap_or(text.len())].trim_end().to_owned(), "")
        }
    };
    if rest.is_empty() || rest.starts_with('#') {
        Ok(value)
    } else {
        Err("something stands after the closing quote")
    }
}

/// The value as dotenvy reads it literally.
fn quote(value: &str) -> String {
    let mut quoted = String::from("''");
    for c in value.chars() {
        match c {
            '\\' | '\'' | '"' | '$' => quoted.extend(['\\', c]),
            c if c.is_whitespace() => quoted.extend(['\'', c, '\'']),
            c => quoted.push(c),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_literal() {
        let long = "x".repeat(5000);
        for (line, value) in [
            ("A=smtp://u:pa$word@mail:587", "smtp://u:pa$word@mail:587"),
            ("A=pa#word#", "pa#word#"),
            ("A=${HOME}$HOME$(id)`id`", "${HOME}$HOME$(id)`id`"),
            ("A=a\\nb\\", "a\\nb\\"),
            ("A=it's \"so\"", "it's \"so\""),
            ("A='it is # $x \"q\" \\'", "it is # $x \"q\" \\"),
            (r#"A="a \"b\" \\ $c #d \n""#, r#"a "b" \ $c #d \n"#),
            ("  export\tA =  b c  ", "b c"),
            ("export A=b", "b"),
            ("A=b # a comment", "b"),
            ("A='b'# a comment", "b"),
            ("A=\"b\"   # a comment", "b"),
            ("A=", ""),
            ("A= # nothing", ""),
            ("A=''", ""),
            ("A='  '", "  "),
            ("A=b=c==", "b=c=="),
            ("A=Box Office <tickets@example.org>", "Box Office <tickets@example.org>"),
            ("A=Käse\u{a0}🎫\tb", "Käse\u{a0}🎫\tb"),
            (&format!("A={long}"), &long),
        ] {
            let expected = vec![("A".to_owned(), value.to_owned())];
            assert_eq!(parse(line), Ok(expected.clone()), "{line}");
            // And dotenvy reads the same.
            let quoted = format!("A={}\n", quote(value));
            let read: Result<Vec<_>, _> = dotenvy::from_read_iter(quoted.as_bytes()).collect();
            assert_eq!(read.expect(line), expected, "{line}");
        }
    }

    #[test]
    fn lines_end_as_on_any_system_and_the_last_of_two_counts() {
        for text in ["# one\r\n\r\nA=1\r\nB=2\r\nA=3", "A=0\rB=2\rA=3\r", "A=1\nB=2\n \nA=3\n"] {
            let settings = parse(text).expect(text);
            let settings: Vec<_> =
                settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(settings, [("B", "2"), ("A", "3")], "{text:?}");
        }
        let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{feff}A=ü".encode_utf16().flat_map(bytes).collect()
        };
        for bytes in ["\u{feff}A=ü".into(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes), "A=ü".into()]
        {
            assert_eq!(decode(&bytes).as_deref(), Some("A=ü"));
        }
        assert_eq!(decode(b"A=\xfc"), None);
    }

    #[test]
    fn an_error_is_a_line_and_no_content() {
        for (text, line) in [
            ("s3cret", 1),
            ("\n# x\nA B=s3cret", 3),
            ("A=1\nB='s3cret", 2),
            ("A=\"s3cret\\\"", 1),
            ("A='s3cret' s3cret", 1),
            ("=s3cret", 1),
            ("1A=s3cret", 1),
            ("A=1\r\n\r\nä=s3cret", 3),
            ("A=s3\0cret", 1),
            ("export s3cret", 1),
        ] {
            let fault = parse(text).expect_err(text);
            assert!(fault.line == line && !fault.what.contains("s3cret"), "{text:?}: {fault:?}");
        }
    }
}
