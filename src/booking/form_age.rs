//! How old a form is when it is sent. Its request key says when it was made (see [`super::request_key`]).
//!
//! What is sent sooner than a person can look at it comes from a program; what has lain about for half a day
//! was prepared by one, or forgotten. Both get a fresh form with everything typed still in it, so that a person
//! who was wronged books one click later.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};

use super::Order;

/// The clock of the server that made a form may be ahead of the one that reads it by so much.
const CLOCKS_APART_MAX: TimeDelta = TimeDelta::seconds(5);

/// The ages at which a form books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormAges {
    /// Zero: however young.
    pub least: Duration,
    pub most: Duration,
}

impl Default for FormAges {
    fn default() -> Self {
        Self { least: Duration::from_millis(150), most: Duration::from_secs(12 * 3600) }
    }
}

/// Why a form is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormAgeError {
    TooYoung,
    TooOld,
}

impl FormAgeError {
    /// What to tell the buyer, above the fresh form.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::TooYoung => {
                "That was quicker than we can tell from a program, so nothing was booked. The form is fresh again: please book once more."
            }
            Self::TooOld => {
                "This form had been open for too long, so nothing was booked. It is fresh again now: please check it and book once more."
            }
        }
    }
}

impl FormAges {
    /// Whether the order's form was sent in time.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, order: &Order, now: DateTime<Utc>) -> Result<(), FormAgeError> {
        // A key whose time cannot be read is none of ours, and was refused before.
        let made_at = made_at(&order.request_key).ok_or(FormAgeError::TooOld)?;
        let age = now - made_at;
        let is_from_a_clock_ahead = age < TimeDelta::zero() && age >= -CLOCKS_APART_MAX;
        match age.to_std() {
            Ok(age) if age > self.most => Err(FormAgeError::TooOld),
            Ok(age) if age >= self.least => Ok(()),
            _ if is_from_a_clock_ahead => Ok(()),
            _ => Err(FormAgeError::TooYoung),
        }
    }
}

/// The first 48 bits of a key: milliseconds since 1970.
fn made_at(request_key: &str) -> Option<DateTime<Utc>> {
    let start = URL_SAFE_NO_PAD.decode(request_key.get(..8)?).ok()?;
    let milliseconds = start.iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte));
    DateTime::from_timestamp_millis(milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::buyer::Buyer;
    use crate::booking::request_key::RequestKeys;

    #[test]
    fn only_a_form_that_was_looked_at_and_not_forgotten_books() {
        let key = RequestKeys::new(&"a secret".into()).mint().as_str().to_owned();
        let buyer = Buyer { name: "Ada".into(), email: "ada@example.org".into() };
        let order = Order { ticket_type_id: 1, quantity: 1, buyer, request_key: key };
        let made_at = made_at(&order.request_key).expect("it is dated");
        assert!((Utc::now() - made_at).num_seconds() < 5, "{made_at}");
        let ages = FormAges { least: Duration::from_millis(150), most: Duration::from_secs(3600) };
        let after = |milliseconds| ages.check(&order, made_at + TimeDelta::milliseconds(milliseconds));
        for (milliseconds, found) in [
            (0, Err(FormAgeError::TooYoung)),
            (149, Err(FormAgeError::TooYoung)),
            (150, Ok(())),
            (3_600_000, Ok(())),
            (3_600_001, Err(FormAgeError::TooOld)),
            (-1, Ok(())),
            (-5_000, Ok(())),
            (-5_001, Err(FormAgeError::TooYoung)),
            (-3_600_000, Err(FormAgeError::TooYoung)),
        ] {
            assert_eq!(after(milliseconds), found, "{milliseconds}");
        }
        let off = FormAges { least: Duration::ZERO, ..ages };
        assert_eq!(off.check(&order, made_at), Ok(()));
    }
}
