//! The body of a booking request, and its validation.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::body::whole_number;
use crate::api::problem::FieldError;
use crate::booking::buyer::{Buyer, parse_email, parse_name};
use crate::booking::{Order, messages};
use crate::events::TicketType;
use crate::events::board::Board;

/// Longest name, in characters; longest address (RFC 5321).
const NAME_LENGTH_MAX: usize = 100;
const EMAIL_LENGTH_MAX: usize = 254;

/// A booking request. Unknown fields are refused.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewBooking)]
pub struct NewBookingJson {
    /// The `id` of a ticket type.
    #[schema(value_type = String, required = true, example = "1", pattern = "^[1-9][0-9]{0,17}$")]
    ticket_type_id: Value,
    /// From 1 to the ticket type's `maxPerBooking`.
    #[schema(value_type = i32, required = true, minimum = 1, example = 2)]
    quantity: Value,
    /// The buyer's name.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 100, example = "Ada Lovelace")]
    name: Value,
    /// The confirmation is sent here.
    #[schema(value_type = String, required = true, format = Email, max_length = 254, example = "ada@example.org")]
    email: Value,
}

impl NewBookingJson {
    /// The order under that key, and its ticket type.
    ///
    /// # Errors
    /// One for each invalid field.
    pub fn parse(&self, board: &Board, request_key: String) -> Result<(Order, TicketType), Vec<FieldError>> {
        let ticket_type = self.find_ticket_type(board);
        let most = ticket_type.as_ref().map_or(i32::MAX, TicketType::most_per_booking);
        let quantity = self.parse_quantity(most);
        let name = text(&self.name, NAME_LENGTH_MAX)
            .and_then(|typed| parse_name(typed).map_err(|error| messages::name(error).into()));
        let email = text(&self.email, EMAIL_LENGTH_MAX)
            .and_then(|typed| parse_email(typed).map_err(|error| messages::email(error).into()))
            .and_then(|email| if self.email_has_spaces() { Err(SPACES.into()) } else { Ok(email) });
        match (ticket_type, quantity, name, email) {
            (Ok(ticket_type), Ok(quantity), Ok(name), Ok(email)) => {
                let buyer = Buyer { name, email };
                let order = Order { ticket_type_id: ticket_type.id, quantity, buyer, request_key };
                Ok((order, ticket_type))
            }
            (ticket_type, quantity, name, email) => {
                let wrong = [
                    ("ticketTypeId", ticket_type.err()),
                    ("quantity", quantity.err()),
                    ("name", name.err()),
                    ("email", email.err()),
                ];
                let wrong = wrong.into_iter().filter_map(|(field, what)| Some((field, what?)));
                Err(wrong.map(|(field, what)| FieldError::in_body(field, what)).collect())
            }
        }
    }

    fn find_ticket_type(&self, board: &Board) -> Result<TicketType, String> {
        let id = match &self.ticket_type_id {
            Value::Null => return Err(MISSING.into()),
            Value::String(id) => id,
            _ => return Err("Use a ticket type's id, as a string.".into()),
        };
        let number = id.parse().ok().filter(|number: &i64| number.to_string() == *id);
        let listing = number.and_then(|number| board.find_by_ticket_type(number));
        let found = listing.zip(number).and_then(|(listing, number)| listing.ticket_type(number).cloned());
        found.ok_or_else(|| "Ticket type not found.".into())
    }

    fn parse_quantity(&self, most: i32) -> Result<i32, String> {
        if self.quantity.is_null() {
            return Err(MISSING.into());
        }
        match whole_number(&self.quantity) {
            Some(..1) => Err("Choose at least 1 ticket.".into()),
            Some(quantity) => i32::try_from(quantity)
                .ok()
                .filter(|quantity| *quantity <= most)
                .ok_or_else(|| format!("You can book up to {most} of these tickets at a time.")),
            None => Err("Use a whole number.".into()),
        }
    }

    /// The form trims what people type; programs have no reason to send white space.
    fn email_has_spaces(&self) -> bool {
        self.email.as_str().is_some_and(|typed| typed.trim() != typed)
    }
}

const MISSING: &str = "This field is missing.";
const SPACES: &str = "Remove the white space around the address.";

fn text(value: &Value, length_max: usize) -> Result<&str, String> {
    match value {
        Value::Null => Err(MISSING.into()),
        Value::String(text) if text.chars().count() <= length_max => Ok(text),
        Value::String(_) => Err(format!("Use {length_max} characters or fewer.")),
        _ => Err("Use a string.".into()),
    }
}
