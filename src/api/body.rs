//! The body of a request, as JSON.

use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use actix_web::{Error as ActixError, HttpMessage as _, HttpRequest};
use serde::de::DeserializeOwned;

use crate::guard::request_validation::JSON;

/// What a handler gets of a body: it may be too long, which is for the contract to say in its own words.
pub type Body = Result<Bytes, ActixError>;

/// Why a body is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    NotJson,
    TooLarge,
    /// Why, without what was sent.
    Malformed(String),
}

/// Reads it. How deep it may go `serde_json` limits, to 128.
///
/// # Errors
/// [`Unreadable`]
pub fn read<T: DeserializeOwned>(request: &HttpRequest, body: Body) -> Result<T, Unreadable> {
    if !request.content_type().eq_ignore_ascii_case(JSON) {
        return Err(Unreadable::NotJson);
    }
    let body = body.map_err(|error| match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Unreadable::TooLarge,
        _ if error.as_response_error().status_code() == 413 => Unreadable::TooLarge,
        _ => Unreadable::Malformed("The body never came to its end.".into()),
    })?;
    // A list of the values would be read as well.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Unreadable::Malformed("The body is no JSON object.".into()));
    }
    serde_json::from_slice(&body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let what = match error.classify() {
            serde_json::error::Category::Data => "is not as it should be",
            _ => "is no JSON",
        };
        Unreadable::Malformed(format!("The body {what}, at line {line}, column {column}."))
    })
}

/// A whole number, also one that is written as 2.0, which is the same in JSON. `None` for everything else.
#[must_use]
pub fn whole_number(value: &serde_json::Value) -> Option<i64> {
    /// Up to which each whole number is one of JSON's.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_are_numbers() {
        assert_eq!(whole_number(&json!(2)), Some(2));
        assert_eq!(whole_number(&json!(2.0)), Some(2));
        assert_eq!(whole_number(&json!(-3)), Some(-3));
        for other in [json!(2.5), json!("2"), json!(null), json!(true), json!(1e300), json!([2])] {
            assert_eq!(whole_number(&other), None, "{other}");
        }
    }
}
