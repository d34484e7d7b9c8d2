//! Pagination. A cursor names the last concert of a page by the list's sort key, so concerts that are added or removed
//! meanwhile shift nothing: none is shown twice, and none is skipped.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDateTime};
use serde::{Deserialize, Deserializer};

use crate::api::problem::{FieldError, Problem, ProblemType};
use crate::events::Event;

const LIMIT_DEFAULT: usize = 20;
const LIMIT_MAX: usize = 100;

/// The query string of a list, not validated yet.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PageQuery {
    #[serde(deserialize_with = "typed")]
    limit: Option<String>,
    #[serde(deserialize_with = "typed")]
    cursor: Option<String>,
}

/// Present but empty is Some(""), not None.
fn typed<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    String::deserialize(field).map(Some)
}

/// Which page is requested.
#[derive(Debug, PartialEq, Eq)]
pub struct PageWanted {
    pub limit: usize,
    after: Option<Cursor>,
}

/// A position in the list: the start in microseconds since 1970, and the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cursor(i64, i64);

impl PageQuery {
    /// # Errors
    /// A problem that names each invalid parameter.
    pub fn parse(&self) -> Result<PageWanted, Problem> {
        let mut errors = Vec::new();
        let limit = self.limit.as_deref().map_or(Some(LIMIT_DEFAULT), parse_limit).unwrap_or_else(|| {
            errors.push(FieldError::in_query("limit", format!("Use a number from 1 to {LIMIT_MAX}.")));
            LIMIT_DEFAULT
        });
        let after = self.cursor.as_deref().map(Cursor::parse);
        if after == Some(None) {
            errors.push(FieldError::in_query("cursor", "Use the nextCursor of the previous page."));
        }
        if errors.is_empty() {
            return Ok(PageWanted { limit, after: after.flatten() });
        }
        Err(Problem::new(ProblemType::InvalidRequest).with_errors(errors))
    }
}

impl PageWanted {
    /// The start (UTC) and the id of the last concert of the previous page.
    #[must_use]
    pub fn after(&self) -> Option<(NaiveDateTime, i64)> {
        let Cursor(starts_at, id) = self.after?;
        Some((DateTime::from_timestamp_micros(starts_at)?.naive_utc(), id))
    }

    /// Whether a concert comes after the previous page.
    #[must_use]
    pub fn is_after(&self, event: &Event) -> bool {
        self.after.is_none_or(|after| Cursor::of(event) > after)
    }
}

/// The cursor of the page after this concert.
#[must_use]
pub fn after(event: &Event) -> String {
    let Cursor(starts_at, id) = Cursor::of(event);
    URL_SAFE_NO_PAD.encode(format!("{starts_at}.{id}"))
}

impl Cursor {
    fn of(event: &Event) -> Self {
        Self(event.starts_at.and_utc().timestamp_micros(), event.id)
    }

    fn parse(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (starts_at, id) = text.split_once('.')?;
        Some(Self(starts_at.parse().ok()?, id.parse().ok()?))
    }
}

fn parse_limit(typed: &str) -> Option<usize> {
    let is_number = typed.bytes().all(|byte| byte.is_ascii_digit());
    typed.parse().ok().filter(|limit| is_number && (1..=LIMIT_MAX).contains(limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::event;

    fn wanted(limit: Option<&str>, cursor: Option<&str>) -> Option<PageWanted> {
        PageQuery { limit: limit.map(Into::into), cursor: cursor.map(Into::into) }.parse().ok()
    }

    #[test]
    fn a_page_continues_after_the_previous_one() {
        let first = event();
        let second = Event { id: 2, ..event() };
        let page = wanted(Some("1"), Some(&after(&first))).expect("a page");
        assert!(page.limit == 1 && !page.is_after(&first) && page.is_after(&second));
        assert!(wanted(None, None).is_some_and(|page| page.limit == LIMIT_DEFAULT && page.is_after(&first)));
        for bad in ["0", "101", "-1", "+1", "", "x", "1.5"] {
            assert_eq!(wanted(Some(bad), None), None, "{bad}");
        }
        for bad in ["", "x", "MS4y=", "MS54", "MQ"] {
            assert_eq!(wanted(None, Some(bad)), None, "{bad}");
        }
    }
}
