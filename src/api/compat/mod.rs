//! The compat API: `/api/tickets` and `/api/bookings` as in the product that this one replaces, so that its clients
//! run against this server unchanged. It sells the next concert only: the next one that is listed and not canceled.
//!
//! A booking here has a `userId` instead of a buyer. It is an id, never an email address: no mail is sent, and the
//! limit per person counts by it, for each token apart. `payment` says that nothing was charged online.
//!
//! New features do not belong here, but in [`crate::api::v1`].

pub mod pages;

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use utoipa::ToSchema;

use super::body::whole_number;
use super::problem::Problem;
use crate::booking::Booking;
use crate::events::{Event, TicketType};
use crate::money::{Money, decimals};

/// A ticket type of the concert.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FirstTicket)]
pub struct CompatTicket {
    #[schema(example = "1")]
    id: String,
    #[schema(example = "VIP")]
    name: String,
    /// In the concert's currency: 100 is $100.00.
    #[schema(value_type = f64, example = 100, minimum = 0)]
    price: Number,
    /// Tickets in total.
    #[schema(example = 100, minimum = 0)]
    quantity: i32,
    /// Tickets left.
    #[schema(example = 100, minimum = 0)]
    available: i32,
}

impl CompatTicket {
    fn of(event: &Event, ticket_type: &TicketType) -> Self {
        Self {
            id: ticket_type.id.to_string(),
            name: ticket_type.name.clone(),
            price: number(&ticket_type.price(event)),
            quantity: ticket_type.capacity,
            available: ticket_type.available,
        }
    }
}

/// The amount in the currency itself, not in its minor unit: a whole number if there are no cents.
fn number(price: &Money) -> Number {
    let scale = 10_i64.pow(u32::try_from(decimals(&price.currency)).unwrap_or_default());
    let whole = Number::from(price.minor / scale);
    match price.minor % scale {
        0 => whole,
        _ => Number::from_f64(price.minor as f64 / scale as f64).unwrap_or(whole),
    }
}

/// A booking request. Unknown fields are ignored.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = FirstNewBooking)]
pub struct CompatNewBooking {
    /// A ticket's `id`.
    #[schema(value_type = CompatId, required = true)]
    ticket_type_id: Value,
    #[schema(value_type = i64, required = true, minimum = 1, example = 2)]
    quantity: Value,
    /// Your own id for the user, 1 to 100 characters.
    #[schema(value_type = CompatId, required = true)]
    user_id: Value,
}

/// An id, as a string or a number.
#[derive(ToSchema)]
#[schema(as = FirstId)]
#[serde(untagged)]
pub enum CompatId {
    #[schema(example = "1")]
    Text(String),
    Number(i64),
}

/// A request with all of its fields. Whether the ticket type exists is not checked yet.
struct CompatOrder {
    ticket_type_id: String,
    quantity: i64,
    user_id: String,
}

impl CompatNewBooking {
    fn read(&self) -> Result<CompatOrder, &'static str> {
        const MISSING: &str = "Missing required fields";
        let ticket_type_id = id(&self.ticket_type_id).ok_or(MISSING)?;
        let user_id = id(&self.user_id).ok_or(MISSING)?;
        if self.quantity.is_null() {
            return Err(MISSING);
        }
        match whole_number(&self.quantity) {
            Some(quantity) if quantity > 0 => Ok(CompatOrder { ticket_type_id, quantity, user_id }),
            None if self.quantity.as_f64().is_some_and(|quantity| quantity > 0.0) => {
                Err("Quantity must be a whole number")
            }
            _ => Err("Quantity must be positive"),
        }
    }
}

fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_i64() => Some(number.to_string()),
        _ => None,
    }
}

/// A confirmed booking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FirstBooked)]
pub struct CompatBooked {
    success: bool,
    booking: CompatBooking,
    payment: CompatPayment,
    message: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FirstBooking)]
pub struct CompatBooking {
    /// The booking's token, for `/bookings/{id}` and `/api/v1/bookings/{id}`. Anyone with it can view and cancel the
    /// booking.
    id: String,
    ticket_type_id: String,
    user_id: String,
    quantity: i32,
    #[schema(format = DateTime)]
    created_at: String,
}

/// Nothing is charged online.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FirstPayment)]
pub struct CompatPayment {
    /// `not-charged-` followed by the booking's reference.
    #[schema(example = "not-charged-TK-7F3K-9QXM")]
    transaction_id: String,
    /// The amount charged online: always 0.
    #[schema(example = 0)]
    amount: i64,
    #[schema(example = "USD")]
    currency: String,
}

impl CompatBooked {
    fn of(booking: Booking) -> Self {
        let reference = &booking.reference;
        Self {
            success: true,
            payment: CompatPayment {
                transaction_id: format!("not-charged-{reference}"),
                amount: 0,
                currency: booking.currency.clone(),
            },
            message: format!("Booking confirmed: {reference}. Nothing was charged online."),
            booking: CompatBooking {
                id: booking.token.clone(),
                ticket_type_id: booking
                    .lines
                    .first()
                    .map_or_else(String::new, |line| line.ticket_type_id.to_string()),
                // Compat bookings store the id as the buyer's name.
                user_id: booking.buyer_name.clone(),
                quantity: booking.quantity(),
                created_at: super::v1::time(booking.created_at),
            },
        }
    }
}

/// An error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FirstError)]
pub struct CompatError<'a> {
    #[schema(example = "Missing required fields")]
    error: &'a str,
}

/// An error as the clients of this API expect it.
#[must_use]
pub fn refusal(problem: &Problem) -> HttpResponse {
    let mut response = HttpResponse::build(problem.status());
    problem.add_headers(&mut response);
    response.json(CompatError { error: problem.detail() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn prices_have_the_decimals_of_their_currency() {
        let price = |minor, currency| number(&Money::new(minor, currency)).to_string();
        assert_eq!((price(10_000, "USD"), price(1_050, "USD")), ("100".to_owned(), "10.5".to_owned()));
        assert_eq!((price(1_000, "JPY"), price(12_345, "KWD")), ("1000".to_owned(), "12.345".to_owned()));
    }

    #[test]
    fn missing_fields_are_reported_before_wrong_ones() {
        let read = |body: Value| {
            let wanted = serde_json::from_value::<CompatNewBooking>(body).expect("an object").read();
            wanted.map(|wanted| (wanted.ticket_type_id, wanted.quantity, wanted.user_id))
        };
        let complete = Ok(("1".to_owned(), 2, "7".to_owned()));
        assert_eq!(read(json!({ "ticketTypeId": "1", "quantity": 2, "userId": "7" })), complete);
        assert_eq!(read(json!({ "ticketTypeId": 1, "quantity": 2.0, "userId": 7, "x": 1 })), complete);
        for (body, error) in [
            (json!({}), "Missing required fields"),
            (json!({ "ticketTypeId": "1", "quantity": -1 }), "Missing required fields"),
            (json!({ "ticketTypeId": "", "quantity": 1, "userId": "7" }), "Missing required fields"),
            (json!({ "ticketTypeId": "1", "quantity": null, "userId": "7" }), "Missing required fields"),
            (json!({ "ticketTypeId": "1", "quantity": 0, "userId": "7" }), "Quantity must be positive"),
            (json!({ "ticketTypeId": "1", "quantity": -1, "userId": "7" }), "Quantity must be positive"),
            (json!({ "ticketTypeId": "1", "quantity": "2", "userId": "7" }), "Quantity must be positive"),
            (
                json!({ "ticketTypeId": "1", "quantity": 1.5, "userId": "7" }),
                "Quantity must be a whole number",
            ),
        ] {
            assert_eq!(read(body.clone()), Err(error), "{body}");
        }
    }
}
