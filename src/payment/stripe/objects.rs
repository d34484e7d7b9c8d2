//! Stripe's objects, as far as they are read here. Everything else in them is ignored, and what may be missing is
//! optional: they grow with each version of the API.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime};
use serde::Deserialize;

use super::amount::of_stripe;
use crate::money::Money;

/// An object, or its id alone: the request decides which.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Expandable<T> {
    Id(String),
    Object(Box<T>),
}

impl<T> Expandable<T> {
    #[must_use]
    pub fn object(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(object),
        }
    }
}

/// A page on which a buyer pays.
#[derive(Debug, Clone, Deserialize)]
pub struct CheckoutSession {
    pub id: String,
    /// Where it is. None once it is closed.
    #[serde(default)]
    pub url: Option<String>,
    /// "open", "complete", "expired"
    #[serde(default)]
    pub status: Option<String>,
    /// "paid", "unpaid", "no_payment_required"
    #[serde(default)]
    pub payment_status: String,
    #[serde(default)]
    pub amount_total: Option<i64>,
    #[serde(default)]
    pub currency: Option<String>,
    pub livemode: bool,
    /// Seconds since 1970.
    pub expires_at: i64,
    #[serde(default)]
    pub payment_intent: Option<Expandable<PaymentIntent>>,
}

impl CheckoutSession {
    /// When Stripe closes it. UTC.
    #[must_use]
    pub fn ends_at(&self) -> NaiveDateTime {
        DateTime::from_timestamp(self.expires_at, 0).unwrap_or_default().naive_utc()
    }

    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.status.as_deref() == Some("expired")
    }

    /// Whether the money is there.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.status.as_deref() == Some("complete") && self.payment_status == "paid"
    }

    #[must_use]
    pub fn intent_id(&self) -> Option<&str> {
        match self.payment_intent.as_ref()? {
            Expandable::Id(id) => Some(id),
            Expandable::Object(intent) => Some(&intent.id),
        }
    }

    fn intent(&self) -> Option<&PaymentIntent> {
        self.payment_intent.as_ref()?.object()
    }

    fn charge(&self) -> Option<&ChargeObject> {
        self.intent()?.latest_charge.as_ref()?.object()
    }

    /// Why the bank said no the last time.
    #[must_use]
    pub fn declined(&self) -> Option<&str> {
        let error = self.intent()?.last_payment_error.as_ref()?;
        error.decline_code.as_deref().or(error.code.as_deref())
    }

    /// "visa 4242"
    #[must_use]
    pub fn method(&self) -> Option<String> {
        let details = self.charge()?.payment_method_details.as_ref()?;
        Some(match &details.card {
            Some(CardDetails { brand: Some(brand), last4: Some(last4) }) => format!("{brand} {last4}"),
            _ => details.kind.clone(),
        })
    }

    /// Whether all that was paid has gone back.
    #[must_use]
    pub fn is_refunded(&self) -> bool {
        self.charge().is_some_and(|charge| charge.refunded)
    }

    /// What Stripe keeps. `None`: it does not say so yet.
    #[must_use]
    pub fn fee(&self) -> Option<Money> {
        self.charge()?.balance_transaction.as_ref()?.object()?.fee()
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct PaymentIntent {
    pub id: String,
    #[serde(default)]
    pub last_payment_error: Option<PaymentError>,
    #[serde(default)]
    pub latest_charge: Option<Expandable<ChargeObject>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PaymentError {
    pub code: Option<String>,
    pub decline_code: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ChargeObject {
    pub id: String,
    /// Whether all of it has gone back.
    #[serde(default)]
    pub refunded: bool,
    #[serde(default)]
    pub payment_method_details: Option<MethodDetails>,
    #[serde(default)]
    pub balance_transaction: Option<Expandable<BalanceTransaction>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct MethodDetails {
    #[serde(rename = "type")]
    pub kind: String,
    pub card: Option<CardDetails>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CardDetails {
    pub brand: Option<String>,
    pub last4: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct BalanceTransaction {
    pub id: String,
    /// Less than 0: it is given back.
    pub fee: i64,
    /// Of the account, whatever the buyer has paid in.
    pub currency: String,
}

impl BalanceTransaction {
    fn fee(&self) -> Option<Money> {
        let currency = self.currency.to_ascii_uppercase();
        Some(Money::new(of_stripe(self.fee, &currency)?, &currency))
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct RefundObject {
    pub id: String,
    pub amount: i64,
    #[serde(default)]
    pub currency: String,
    /// "succeeded", "pending", "failed", "canceled", "requires_action"
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub failure_reason: Option<String>,
    /// What this program has written into it.
    #[serde(default)]
    pub metadata: HashMap<String, String>,
}

impl RefundObject {
    /// Whether it began at Stripe. The metadata tells, because the row of a refund that began here may not
    /// have the id yet.
    #[must_use]
    pub fn is_from_outside(&self) -> bool {
        !self.metadata.contains_key("refund")
    }

    /// Whether it is the refund that this program has asked for with that row.
    #[must_use]
    pub fn is_of(&self, row: i64) -> bool {
        self.metadata.get("refund").and_then(|id| id.parse().ok()) == Some(row)
    }

    /// Whether the money did not arrive. It is the seller's again.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.status.as_deref(), Some("failed" | "canceled"))
    }

    /// Whether the money has gone.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.status.as_deref() == Some("succeeded")
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct DisputeObject {
    pub id: String,
    pub amount: i64,
    #[serde(default)]
    pub currency: String,
    /// "needs_response", "under_review", "won", "lost", "warning_closed", …
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub payment_intent: Option<Expandable<PaymentIntent>>,
    /// The money that was taken for it, and given back when it was won.
    #[serde(default)]
    pub balance_transactions: Vec<Expandable<BalanceTransaction>>,
}

impl DisputeObject {
    /// What Stripe keeps for it, and gives back of that, each with Stripe's name for it.
    #[must_use]
    pub fn fees(&self) -> Vec<(&str, Money)> {
        let transactions = self.balance_transactions.iter().filter_map(Expandable::object);
        let transactions = transactions.filter(|it| !it.id.is_empty());
        transactions.filter_map(|it| Some((it.id.as_str(), it.fee()?))).collect()
    }

    /// Whether the bank has only asked about the payment so far: no money was taken.
    #[must_use]
    pub fn is_inquiry(&self) -> bool {
        self.status.starts_with("warning_")
    }

    #[must_use]
    pub fn intent_id(&self) -> Option<&str> {
        match self.payment_intent.as_ref()? {
            Expandable::Id(id) => Some(id),
            Expandable::Object(intent) => Some(&intent.id),
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_whatever_else_is_in_it() {
        let session: CheckoutSession = serde_json::from_str(
            r#"{"id": "cs_test_1", "object": "checkout.session", "status": "complete", "payment_status": "paid",
                "amount_total": 21000, "currency": "usd", "livemode": false, "expires_at": 1795900000,
                "client_reference_id": "TK-7F3K-9QXM", "something_new": {"deep": [1, 2]}, "url": null,
                "payment_intent": {"id": "pi_1", "last_payment_error": null, "latest_charge": {"id": "ch_1",
                    "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}},
                    "balance_transaction": {"id": "txn_1", "fee": 639, "currency": "usd"}}}}"#,
        )
        .expect("a session");
        assert!(session.is_paid() && !session.is_expired());
        assert_eq!((session.intent_id(), session.declined()), (Some("pi_1"), None));
        let fee = Some(Money::new(639, "USD"));
        assert_eq!((session.method().as_deref(), session.fee()), (Some("visa 4242"), fee));

        let open: CheckoutSession = serde_json::from_str(
            r#"{"id": "cs_test_2", "status": "open", "payment_status": "unpaid", "livemode": false,
                "expires_at": 1795900000, "url": "https://checkout.stripe.com/c/pay/cs_test_2",
                "payment_intent": {"id": "pi_2", "last_payment_error": {"code": "card_declined",
                "decline_code": "insufficient_funds", "payment_method": {"id": "pm_1"}}}}"#,
        )
        .expect("a session");
        assert!(!open.is_paid() && open.declined() == Some("insufficient_funds"));
        let unpaid: CheckoutSession = serde_json::from_str(
            r#"{"id": "cs_3", "status": "complete", "payment_status": "unpaid", "livemode": true, "expires_at": 1,
                "payment_intent": "pi_3"}"#,
        )
        .expect("a session");
        assert!(!unpaid.is_paid() && unpaid.intent_id() == Some("pi_3"), "a payment that takes days");
    }
}
