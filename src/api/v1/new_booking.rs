//! The body of a booking request, and its validation.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Amount;
use crate::api::body::whole_number;
use crate::api::problem::FieldError;
use crate::booking::buyer::{Buyer, Contact, parse_email, parse_name};
use crate::booking::{Order, OrderLine, messages};
use crate::events::TicketType;
use crate::events::board::Board;

/// In characters.
const NAME_LENGTH_MAX: usize = 100;
/// In characters (RFC 5321).
const EMAIL_LENGTH_MAX: usize = 254;

/// A booking request. Unknown fields are refused. Name the tickets in `lines`, or, when they are of one ticket type, in
/// `ticketTypeId` and `quantity`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewBooking)]
pub struct NewBookingJson {
    /// The `id` of a ticket type. Null with `lines`.
    #[schema(value_type = Option<String>, required = false, example = "1", pattern = "^[1-9][0-9]{0,17}$")]
    ticket_type_id: Value,
    /// From 1 to the ticket type's `maxPerBooking`. Null with `lines`.
    #[schema(value_type = Option<i32>, required = false, minimum = 1, example = 2)]
    quantity: Value,
    /// Ticket types of one concert. All of them are booked, or none.
    #[schema(value_type = Option<Vec<NewLineJson>>, required = false, min_items = 1, max_items = 50)]
    lines: Value,
    /// The buyer's name.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 100, example = "Ada Lovelace")]
    name: Value,
    /// The confirmation is sent here.
    #[schema(value_type = String, required = true, format = Email, max_length = 254, example = "ada@example.org")]
    email: Value,
    /// The total that the buyer was shown. If the tickets cost something else now, nothing is booked (409,
    /// `other-total`). Without it they are booked at the current price.
    #[schema(value_type = Option<Amount>, required = false)]
    expected_total: Value,
}

/// Tickets of one ticket type.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewLine)]
pub struct NewLineJson {
    /// The `id` of a ticket type.
    #[schema(value_type = String, required = true, example = "1", pattern = "^[1-9][0-9]{0,17}$")]
    ticket_type_id: Value,
    /// From 1 to the ticket type's `maxPerBooking`.
    #[schema(value_type = i32, required = true, minimum = 1, example = 2)]
    quantity: Value,
}

/// How many lines one booking may have.
const LINES_MAX: usize = 50;

/// A line with the place that errors point to.
struct RawLine<'a> {
    pointer: String,
    ticket_type_id: &'a Value,
    quantity: &'a Value,
}

impl NewBookingJson {
    /// The order under that key, checked against the ticket types on the board. Whether they are on sale is not checked
    /// here.
    ///
    /// # Errors
    /// One for each invalid field.
    pub fn parse(&self, board: &Board, request_key: String) -> Result<Order, Vec<FieldError>> {
        let parsed = self.lines();
        let mut errors = Vec::new();
        let mut wanted: Vec<OrderLine> = Vec::new();
        let lines =
            parsed.as_ref().map_err(|error| errors.push(error.clone())).map_or(&[][..], |parsed| parsed);
        for line in lines {
            let ticket_type = find_ticket_type(line.ticket_type_id, board);
            let most = ticket_type.as_ref().map_or(i32::MAX, TicketType::most_per_booking);
            let quantity = parse_quantity(line.quantity, most);
            match (ticket_type, quantity) {
                (Ok(ticket_type), Ok(quantity)) => {
                    let of_type = wanted.iter().filter(|it| it.ticket_type_id == ticket_type.id);
                    let all: i64 = of_type.map(|it| i64::from(it.quantity)).sum();
                    if all + i64::from(quantity) > i64::from(most) {
                        errors.push(FieldError::in_body(&line.field("quantity"), too_many(most)));
                    }
                    wanted.push(OrderLine { ticket_type_id: ticket_type.id, quantity });
                }
                (ticket_type, quantity) => {
                    let wrong = [("ticketTypeId", ticket_type.err()), ("quantity", quantity.err())];
                    let wrong = wrong.into_iter().filter_map(|(field, what)| Some((field, what?)));
                    errors.extend(wrong.map(|(field, what)| FieldError::in_body(&line.field(field), what)));
                }
            }
        }
        if !of_one_concert(&wanted, board) {
            errors.push(FieldError::in_body("lines", "All ticket types must be of one concert."));
        }
        let name = self.parse_name();
        let email = self.parse_email();
        let expected_total = self.parse_expected_total(&wanted, board).unwrap_or_else(|fault| {
            errors.push(FieldError::in_body("expectedTotal", fault));
            None
        });
        match (name, email) {
            (Ok(name), Ok(email)) if errors.is_empty() => {
                let order = Order::new(wanted, Buyer { name, contact: Contact::Email(email) }, request_key);
                Ok(order.at_total(expected_total))
            }
            (name, email) => {
                let wrong = [("name", name.err()), ("email", email.err())];
                let wrong = wrong.into_iter().filter_map(|(field, what)| Some((field, what?)));
                errors.extend(wrong.map(|(field, what)| FieldError::in_body(field, what)));
                Err(errors)
            }
        }
    }

    /// The order, not checked against the board; `None` if the body is no valid order. It serves to find an earlier
    /// booking.
    #[must_use]
    pub fn read(&self, request_key: String) -> Option<Order> {
        let line = |line: &RawLine| {
            let ticket_type_id = parse_id(line.ticket_type_id)?;
            Some(OrderLine { ticket_type_id, quantity: parse_quantity(line.quantity, i32::MAX).ok()? })
        };
        let lines = self.lines().ok()?.iter().map(line).collect::<Option<Vec<_>>>()?;
        let contact = Contact::Email(self.parse_email().ok()?);
        Some(Order::new(lines, Buyer { name: self.parse_name().ok()?, contact }, request_key))
    }

    fn lines(&self) -> Result<Vec<RawLine<'_>>, FieldError> {
        if self.lines.is_null() {
            let (ticket_type_id, quantity) = (&self.ticket_type_id, &self.quantity);
            return Ok(vec![RawLine { pointer: String::new(), ticket_type_id, quantity }]);
        }
        if !self.ticket_type_id.is_null() || !self.quantity.is_null() {
            return Err(FieldError::in_body("lines", "Use either lines, or ticketTypeId and quantity."));
        }
        let wrong = |what: &str| FieldError::in_body("lines", what);
        let Some(lines) = self.lines.as_array() else { return Err(wrong("Use an array of lines.")) };
        if lines.is_empty() || lines.len() > LINES_MAX {
            return Err(wrong("Use 1 to 50 lines."));
        }
        let read =
            lines.iter().enumerate().map(|(index, line)| read_line(index, line)).collect::<Option<Vec<_>>>();
        read.ok_or_else(|| wrong("Each line has a ticketTypeId and a quantity, and nothing else."))
    }

    fn parse_name(&self) -> Result<String, String> {
        text(&self.name, NAME_LENGTH_MAX)
            .and_then(|typed| parse_name(typed).map_err(|error| messages::name(error).into()))
    }

    fn parse_email(&self) -> Result<String, String> {
        text(&self.email, EMAIL_LENGTH_MAX)
            .and_then(|typed| parse_email(typed).map_err(messages::email))
            .and_then(|email| if self.email_has_spaces() { Err(SPACES.into()) } else { Ok(email) })
    }

    /// In the currency's minor unit; `None`: any.
    fn parse_expected_total(&self, wanted: &[OrderLine], board: &Board) -> Result<Option<i64>, String> {
        if self.expected_total.is_null() {
            return Ok(None);
        }
        let Ok(Amount { cents, currency }) = Amount::deserialize(&self.expected_total) else {
            return Err("Use an amount, like {\"cents\": 1000, \"currency\": \"USD\"}.".into());
        };
        let listing = wanted.first().and_then(|line| board.find_by_ticket_type(line.ticket_type_id));
        match listing.filter(|listing| listing.event.currency != currency) {
            Some(listing) => Err(format!("The tickets are sold in {}.", listing.event.currency)),
            None => Ok(Some(cents)),
        }
    }

    /// The form trims what people type; programs have no reason to send white space.
    fn email_has_spaces(&self) -> bool {
        self.email.as_str().is_some_and(|typed| typed.trim() != typed)
    }
}

fn read_line(index: usize, line: &Value) -> Option<RawLine<'_>> {
    let fields = line.as_object()?;
    let is_known = |field: &String| matches!(field.as_str(), "ticketTypeId" | "quantity");
    let value = |name| fields.get(name).unwrap_or(&Value::Null);
    let line = RawLine {
        pointer: format!("lines/{index}/"),
        ticket_type_id: value("ticketTypeId"),
        quantity: value("quantity"),
    };
    fields.keys().all(is_known).then_some(line)
}

impl RawLine<'_> {
    /// The name of one of the line's fields in errors.
    fn field(&self, name: &str) -> String {
        format!("{}{name}", self.pointer)
    }
}

fn parse_id(value: &Value) -> Option<i64> {
    let id = value.as_str()?;
    id.parse().ok().filter(|number: &i64| number.to_string() == id)
}

fn find_ticket_type(value: &Value, board: &Board) -> Result<TicketType, String> {
    match value {
        Value::Null => return Err(MISSING.into()),
        Value::String(_) => {}
        _ => return Err("Use a ticket type's id, as a string.".into()),
    }
    let found = parse_id(value).and_then(|id| board.ticket_type(id));
    found.ok_or_else(|| "Ticket type not found.".into())
}

fn parse_quantity(value: &Value, most: i32) -> Result<i32, String> {
    if value.is_null() {
        return Err(MISSING.into());
    }
    match whole_number(value) {
        Some(..1) => Err("Choose at least 1 ticket.".into()),
        Some(quantity) => {
            i32::try_from(quantity).ok().filter(|quantity| *quantity <= most).ok_or_else(|| too_many(most))
        }
        None => Err("Use a whole number.".into()),
    }
}

fn too_many(most: i32) -> String {
    format!("You can book up to {most} of these tickets at a time.")
}

fn of_one_concert(wanted: &[OrderLine], board: &Board) -> bool {
    let event =
        |line: &OrderLine| board.find_by_ticket_type(line.ticket_type_id).map(|listing| listing.event.id);
    wanted.windows(2).all(|lines| event(&lines[0]) == event(&lines[1]))
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
