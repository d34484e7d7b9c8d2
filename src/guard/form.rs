//! Extractors for forms and queries.
//!
//! They are stricter than actix's own, which replace invalid UTF-8 and accept any number of fields. They
//! refuse everything that no browser sends, so that two parsers never read the same bytes differently.

use std::future::{Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use serde::de::DeserializeOwned;
use serde::de::value::{Error as Wrong, MapDeserializer};

use super::request_validation::{FIELDS_MAX, FORM};
use crate::error::Error;

/// The body of a form post. Repeated fields are refused, unknown ones ignored.
pub struct Form<T>(pub T);

/// The query of a URL.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if !is_form(request) {
            let error = Error::Unreadable("not a form".into(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
            return Box::pin(ready(Err(error)));
        }
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            let body = body.await.map_err(|error| {
                Error::Unreadable(error.to_string(), error.as_response_error().status_code())
            })?;
            parse(&body).map(Self)
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(pairs(request.query_string().as_bytes()).and_then(read).map(Self))
    }
}

/// Our pages send UTF-8 only.
fn is_form(request: &HttpRequest) -> bool {
    request.content_type().eq_ignore_ascii_case(FORM)
        && request.encoding().is_ok_and(|encoding| encoding.name() == "UTF-8")
}

/// Reads "application/x-www-form-urlencoded".
///
/// # Errors
/// [`Error::Unreadable`] for anything that no browser sends.
pub fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    let pairs = pairs(text)?;
    // A struct refuses its own fields when they are repeated, but not those that it collects in a map.
    if is_any_repeated(&pairs) {
        return Err(wrong("a repeated field"));
    }
    read(pairs)
}

/// Sorts the names: comparing each with all others would take long where there are many.
fn is_any_repeated(pairs: &[(String, String)]) -> bool {
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

fn wrong(what: &str) -> Error {
    Error::Unreadable(what.to_owned(), StatusCode::UNPROCESSABLE_ENTITY)
}

fn pairs(text: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let fields = || text.split(|byte| *byte == b'&').filter(|field| !field.is_empty());
    if fields().count() > FIELDS_MAX {
        return Err(wrong("too many fields"));
    }
    let pairs: Option<Vec<_>> = fields().map(pair).collect();
    pairs.ok_or_else(|| wrong("a field is not valid UTF-8"))
}

fn read<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, Error> {
    T::deserialize(MapDeserializer::<_, Wrong>::new(pairs.into_iter()))
        // The error names the field, never what was typed.
        .map_err(|error| wrong(&error.to_string()))
}

fn pair(field: &[u8]) -> Option<(String, String)> {
    let end = field.iter().position(|byte| *byte == b'=').unwrap_or(field.len());
    Some((decode(&field[..end])?, decode(field.get(end + 1..).unwrap_or_default())?))
}

/// Decodes "application/x-www-form-urlencoded" (WHATWG URL standard, section 5.2); `None` if it is malformed.
fn decode(text: &[u8]) -> Option<String> {
    if !text.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return String::from_utf8(text.to_vec()).ok();
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            other => *other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: &u8) -> Option<u8> {
    u8::try_from(char::from(*digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Eq, Deserialize)]
    #[serde(default)]
    struct Typed {
        name: String,
        quantity: String,
    }

    fn typed(text: &[u8]) -> Option<(String, String)> {
        parse(text).ok().map(|typed: Typed| (typed.name, typed.quantity))
    }

    #[test]
    fn forms_from_browsers_are_parsed() {
        let both = |name: &str, quantity: &str| Some((name.to_owned(), quantity.to_owned()));
        assert_eq!(typed(b"name=Ada+Lovelace&quantity=2"), both("Ada Lovelace", "2"));
        assert_eq!(typed(b"name=Zo%C3%AB%2B%26%3d&other=x"), both("Zoë+&=", ""));
        assert_eq!(typed("name=Zoë".as_bytes()), both("Zoë", ""));
        assert_eq!(typed(b""), both("", ""));
        assert_eq!(typed(b"name&&quantity=a=b"), both("", "a=b"));
    }

    #[test]
    fn a_form_may_have_many_fields_and_not_any_number() {
        let many =
            |count: usize| -> String { (0..count).map(|number| format!("seat_{number}=on&")).collect() };
        assert!(typed(many(FIELDS_MAX).as_bytes()).is_some());
        assert_eq!(typed(many(FIELDS_MAX + 1).as_bytes()), None);
        assert_eq!(typed(format!("{}seat_7=on", many(FIELDS_MAX - 1)).as_bytes()), None, "a repeated one");
    }

    #[test]
    fn malformed_forms_are_refused() {
        for bad in [
            &b"name=a&name=b"[..],
            b"other=a&other=b",
            b"other=a&%6fther=b",
            b"name=%",
            b"name=%4",
            b"name=%zz",
            b"name=%ff",
            b"name=\xff",
            b"%ff=1",
            b"name=%ed%a0%80",
            b"name=%c0%80",
        ] {
            assert_eq!(typed(bad), None, "{}", String::from_utf8_lossy(bad));
        }
    }
}
