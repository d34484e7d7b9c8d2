//! The bodies of requests, in Stripe's form encoding. The same key always has the same body: that of a page
//! is kept with its payment, and that of a refund depends only on facts that never change.

use chrono::NaiveDateTime;
use url::form_urlencoded::{self, Serializer};

use super::amount::to_stripe;
use crate::payment::PaymentLine;

/// The longest name of a line that Stripe takes is 250 characters; buyers read less.
const NAME_MAX: usize = 200;

/// What a buyer is to pay for.
pub struct SessionRequest<'a> {
    pub payment_id: i64,
    /// The booking's.
    pub reference: &'a str,
    /// "Midnight Parade"
    pub event: &'a str,
    pub currency: &'a str,
    pub lines: &'a [PaymentLine],
    /// Already known, so that nobody types it again.
    pub email: Option<&'a str>,
    /// UTC. When Stripe closes the page by itself.
    pub ends_at: NaiveDateTime,
    /// The page that buyers come back to.
    pub url: &'a str,
}

/// The body that asks for a payment page. `None`: Stripe cannot be asked for these amounts.
#[must_use]
pub fn session(wanted: &SessionRequest<'_>) -> Option<String> {
    let mut form = Serializer::new(String::new());
    let payment = wanted.payment_id.to_string();
    form.append_pair("mode", "payment")
        // Cards, and the wallets that hold cards. Other methods may take days, longer than tickets are held.
        .append_pair("payment_method_types[0]", "card")
        .append_pair("client_reference_id", wanted.reference)
        .append_pair("metadata[payment]", &payment)
        .append_pair("payment_intent_data[metadata][payment]", &payment)
        .append_pair("payment_intent_data[metadata][booking]", wanted.reference)
        .append_pair(
            "payment_intent_data[description]",
            &short(&format!("{}, {}", wanted.event, wanted.reference)),
        )
        .append_pair("submit_type", "book")
        .append_pair("expires_at", &wanted.ends_at.and_utc().timestamp().to_string())
        .append_pair("success_url", &format!("{}?paid=1", wanted.url))
        .append_pair("cancel_url", &format!("{}?back=1", wanted.url));
    if let Some(email) = wanted.email {
        form.append_pair("customer_email", email);
    }
    // Free tickets are in the booking, and not on the bill.
    let due = wanted.lines.iter().filter(|line| line.unit_price_minor > 0);
    for (index, line) in due.enumerate() {
        let amount = to_stripe(line.unit_price_minor, wanted.currency)?.to_string();
        let mut add = |field: &str, value: &str| {
            form.append_pair(&format!("line_items[{index}]{field}"), value);
        };
        add("[quantity]", &line.quantity.to_string());
        add("[price_data][currency]", &wanted.currency.to_ascii_lowercase());
        add("[price_data][unit_amount]", &amount);
        add("[price_data][product_data][name]", &short(&format!("{}: {}", wanted.event, line.name)));
    }
    Some(form.finish())
}

/// The body of another attempt: it has the id of the new payment, and leaves out the buyer's address.
#[must_use]
pub fn without_email(request: &str, payment: i64, other: i64) -> String {
    let payment = payment.to_string();
    let fields = form_urlencoded::parse(request.as_bytes()).filter(|(name, _)| name != "customer_email");
    let mut form = Serializer::new(String::new());
    for (name, value) in fields {
        let is_own = name.ends_with("metadata[payment]") || name.ends_with("[metadata][payment]");
        if is_own && value == payment {
            form.append_pair(&name, &other.to_string());
        } else {
            form.append_pair(&name, &value);
        }
    }
    form.finish()
}

/// The body that gives money back. `None`: Stripe cannot be asked for this amount.
#[must_use]
pub fn refund(intent_id: &str, refund_id: i64, amount_minor: i64, currency: &str) -> Option<String> {
    let amount = to_stripe(amount_minor, currency)?.to_string();
    let mut form = Serializer::new(String::new());
    form.append_pair("payment_intent", intent_id)
        .append_pair("amount", &amount)
        .append_pair("reason", "requested_by_customer")
        .append_pair("metadata[refund]", &refund_id.to_string());
    Some(form.finish())
}

fn short(text: &str) -> String {
    text.chars().take(NAME_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn line(name: &str, quantity: i32, unit_price_minor: i64) -> PaymentLine {
        PaymentLine {
            payment_id: 7,
            ticket_type_id: 1,
            name: name.into(),
            quantity,
            unit_price_minor,
            tax_rate: None,
        }
    }

    fn body(currency: &str, lines: &[PaymentLine]) -> Option<String> {
        session(&SessionRequest {
            payment_id: 7,
            reference: "TK-7F3K-9QXM",
            event: "Nacht & Näbel = Nebel",
            currency,
            lines,
            email: Some("ada+1@example.org"),
            ends_at: chrono::DateTime::from_timestamp(1_795_900_000, 0).expect("a time").naive_utc(),
            url: "https://tickets.example.org/bookings/AbCd",
        })
    }

    #[test]
    fn a_session_is_asked_for_in_stripes_form() {
        let lines = [line("VIP", 2, 10_000), line("Free", 1, 0), line("Front Row", 1, 1_000)];
        let body = body("USD", &lines).expect("a body");
        let fields: BTreeMap<String, String> =
            url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        for (field, value) in [
            ("mode", "payment"),
            ("client_reference_id", "TK-7F3K-9QXM"),
            ("customer_email", "ada+1@example.org"),
            ("expires_at", "1795900000"),
            ("success_url", "https://tickets.example.org/bookings/AbCd?paid=1"),
            ("line_items[0][quantity]", "2"),
            ("line_items[0][price_data][unit_amount]", "10000"),
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[1][price_data][product_data][name]", "Nacht & Näbel = Nebel: Front Row"),
        ] {
            assert_eq!(fields.get(field).map(String::as_str), Some(value), "{field}");
        }
        assert!(!fields.contains_key("line_items[2][quantity]"), "what is free is not on the bill");
        assert_eq!(self::body("USD", &lines), Some(body), "the same each time");
        assert_eq!(self::body("CLF", &lines), None);
    }

    #[test]
    fn another_attempt_leaves_the_address_out_and_is_the_same_otherwise() {
        let lines = [line("VIP", 2, 10_000)];
        let first = body("USD", &lines).expect("a body");
        let second = without_email(&first, 7, 8);
        let read = |body: &str| -> BTreeMap<String, String> {
            url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
        };
        let mut expected = read(&first);
        expected.remove("customer_email");
        for name in ["metadata[payment]", "payment_intent_data[metadata][payment]"] {
            assert_eq!(expected.insert(name.to_owned(), "8".to_owned()).as_deref(), Some("7"));
        }
        assert_eq!(read(&second), expected);
    }

    #[test]
    fn a_refund_names_its_payment_and_its_amount() {
        let body = refund("pi_1", 3, 1_050, "USD").expect("a body");
        assert_eq!(
            body,
            "payment_intent=pi_1&amount=1050&reason=requested_by_customer&metadata%5Brefund%5D=3"
        );
        assert!(refund("pi_1", 3, 1_050, "ISK").expect("a body").contains("amount=105000"));
    }
}
