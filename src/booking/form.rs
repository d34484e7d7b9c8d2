//! The checkout's form: what was typed, kept as it was typed, and the order that it means.

use serde::Deserialize;

use super::Order;
use super::buyer::{Buyer, parse_email, parse_name};
use super::request_key::{RequestKey, RequestKeys};
use crate::events::TicketType;

/// The fields as a browser sends them. A missing field reads as an empty one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct BookingForm {
    pub ticket_type: String,
    pub quantity: String,
    pub name: String,
    pub email: String,
    pub request_key: String,
    /// The trap: a field that people never see. What stands in it was written by a program.
    pub remarks: String,
}

/// What is wrong, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors {
    pub quantity: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    /// The form as a whole.
    pub form: Option<String>,
    /// Where the booking is that this form has made before, with other words in it.
    pub earlier_booking: Option<String>,
}

impl FieldErrors {
    /// Every field is well, and the form as a whole is not.
    #[must_use]
    pub fn of_form(message: &str) -> Self {
        Self { form: Some(message.to_owned()), ..Self::default() }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl BookingForm {
    /// The order that the form means.
    ///
    /// # Errors
    /// A message for each field that is wrong.
    pub fn parse(&self, ticket_type: &TicketType, keys: &RequestKeys) -> Result<Order, FieldErrors> {
        let mut errors = FieldErrors::default();
        let quantity =
            noted(&mut errors.quantity, parse_quantity(&self.quantity, ticket_type.most_per_booking()));
        let name = noted(&mut errors.name, parse_name(&self.name));
        let email = noted(&mut errors.email, parse_email(&self.email));
        let key = noted(&mut errors.form, self.parse_request_key(keys));
        match (quantity, name, email, key) {
            (Some(quantity), Some(name), Some(email), Some(key)) => Ok(Order {
                ticket_type_id: ticket_type.id,
                quantity,
                buyer: Buyer { name, email },
                request_key: key.as_str().to_owned(),
            }),
            _ => Err(errors),
        }
    }

    fn parse_request_key(&self, keys: &RequestKeys) -> Result<RequestKey, &'static str> {
        if !self.remarks.is_empty() {
            return Err(
                "Something was written into a field that is to stay empty, so nothing was booked. The form is fresh again: please check it and book once more.",
            );
        }
        keys.recognize(&self.request_key).ok_or(
            "This form had expired, so nothing was booked. It is fresh again now: please check it and book once more.",
        )
    }
}

/// Reads how many tickets are wanted.
///
/// # Errors
/// What to tell the buyer, beside the field.
pub fn parse_quantity(typed: &str, most: i32) -> Result<i32, String> {
    let typed = typed.trim();
    let is_number = !typed.is_empty() && typed.bytes().all(|b| b.is_ascii_digit());
    match typed.parse::<i32>() {
        Ok(0) => Err("Please choose at least 1 ticket.".into()),
        Ok(quantity) if is_number && quantity <= most => Ok(quantity),
        // Digits that no i32 holds are still a number, only far too large.
        _ if is_number => Err(format!("One booking can hold {most} tickets of this tier at most.")),
        _ => Err(format!("Please choose a number of tickets from 1 to {most}.")),
    }
}

/// The value, or `None` with the message noted beside its field.
fn noted<T, M: Into<String>>(field: &mut Option<String>, parsed: Result<T, M>) -> Option<T> {
    match parsed {
        Ok(value) => Some(value),
        Err(message) => {
            *field = Some(message.into());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_run_from_one_to_the_tiers_limit() {
        assert_eq!(parse_quantity("1", 10), Ok(1));
        assert_eq!(parse_quantity(" 10 ", 10), Ok(10));
        for bad in ["", "0", "11", "-1", "+1", "1.5", "abc", "٣", "1e1", "99999999999999999999"] {
            assert!(parse_quantity(bad, 10).is_err(), "{bad}");
        }
    }
}
