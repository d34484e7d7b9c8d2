//! Request bodies in JSON.

use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use actix_web::{Error as ActixError, HttpMessage as _, HttpRequest};
use serde::de::DeserializeOwned;

use super::distinct_fields::DistinctFields;
use crate::guard::request_validation::JSON;

/// The body as handlers get it. Each API words the error of one that is too large itself.
pub type Body = Result<Bytes, ActixError>;

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    NotJson,
    TooLarge,
    /// The reason, without what was sent.
    Malformed(String),
}

/// Parses the body. `serde_json` limits nesting to 128 levels.
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
        _ => Unreadable::Malformed("The body is incomplete.".into()),
    })?;
    // serde would accept an array of the values too.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Unreadable::Malformed("The body is not a JSON object.".into()));
    }
    let malformed = |error: &serde_json::Error, wrong: &str| {
        let what = if error.is_data() { wrong } else { "is not valid JSON" };
        let (line, column) = (error.line(), error.column());
        Unreadable::Malformed(format!("The body {what}, at line {line}, column {column}."))
    };
    // serde_json keeps the last of several fields of one name, where another parser may keep the first.
    serde_json::from_slice::<DistinctFields>(&body).map_err(|error| malformed(&error, "repeats a field"))?;
    serde_json::from_slice(&body).map_err(|error| malformed(&error, "does not have the expected form"))
}

/// An integer, also when written as 2.0, which is the same number in JSON. `None` for everything else.
#[must_use]
pub fn whole_number(value: &serde_json::Value) -> Option<i64> {
    /// Up to 2^53 a float holds every integer exactly.
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
    fn integers_are_accepted_in_any_notation() {
        assert_eq!(whole_number(&json!(2)), Some(2));
        assert_eq!(whole_number(&json!(2.0)), Some(2));
        assert_eq!(whole_number(&json!(-3)), Some(-3));
        for other in [json!(2.5), json!("2"), json!(null), json!(true), json!(1e300), json!([2])] {
            assert_eq!(whole_number(&other), None, "{other}");
        }
    }
}
