//! Programs use both contracts of the API over real HTTP.

mod access;
mod bookings;
mod compat;
mod concerts;
mod cross_origin;
mod errors;
mod once;
mod organizing;
mod reference;

use reqwest::blocking::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{TestApp, browser};

impl TestApp {
    /// The body of a request that books for Ada.
    fn new_booking(&self, tier: &str, quantity: u32) -> Value {
        json!({ "ticketTypeId": self.tier_id(tier), "quantity": quantity, "name": "Ada Lovelace",
            "email": "ada@example.org" })
    }

    fn post_booking(&self, key: &str, body: &Value) -> Response {
        let post = browser().post(self.url("/api/v1/bookings")).header("idempotency-key", key);
        post.json(body).send().expect("an answer")
    }

    /// Books, and returns the booking.
    fn book_by_program(&self, key: &str, tier: &str, quantity: u32) -> Value {
        let response = self.post_booking(key, &self.new_booking(tier, quantity));
        assert_eq!(response.status(), 201);
        response.json().expect("JSON")
    }
}

fn ask(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().expect("an answer");
    (response.status().as_u16(), response.json().expect("JSON"))
}
