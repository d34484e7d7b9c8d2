//! The checkout form: the text as it was typed, and the order that it means.

use serde::Deserialize;

use super::buyer::{Buyer, parse_email, parse_name};
use super::request_key::{RequestKey, RequestKeyError, RequestKeys};
use super::{Order, messages, parse_quantity};
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
    /// The honeypot: people do not see this field, so only a program fills it in.
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
    /// The path of the booking that this form made before with other details.
    pub earlier_booking: Option<String>,
}

impl FieldErrors {
    /// Only the form as a whole is wrong.
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
        let most = ticket_type.most_per_booking();
        let quantity = parse_quantity(&self.quantity, most).map_err(|error| messages::quantity(error, most));
        let quantity = noted(&mut errors.quantity, quantity);
        let name = noted(&mut errors.name, parse_name(&self.name).map_err(messages::name));
        let email = noted(&mut errors.email, parse_email(&self.email).map_err(messages::email));
        let key = noted(&mut errors.form, self.parse_request_key(keys).map_err(messages::request_key));
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

    fn parse_request_key(&self, keys: &RequestKeys) -> Result<RequestKey, RequestKeyError> {
        if !self.remarks.is_empty() {
            return Err(RequestKeyError::Honeypot);
        }
        keys.verify(&self.request_key).ok_or(RequestKeyError::Invalid)
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
